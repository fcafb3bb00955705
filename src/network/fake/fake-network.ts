import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { endProcess } from '#host/end-processes.ts';
import { findProcessesByCommandLine, matchProcesses, type ProcessIdentity } from '#host/proc.ts';
import { spawnDetached } from '#host/spawn-detached.ts';
import type { NetworkAttachment, NetworkDriver, NetworkSpec } from '../network.ts';

/** Carries nothing, but has a process and a file for each machine, which outlive whoever made them. */
export class FakeNetwork implements NetworkDriver {
  readonly name = 'fake';
  readonly #failure: string | undefined;

  /** With `failure`, what is attached ends with these words before it is ready. */
  constructor({ failure }: { failure?: string | undefined } = {}) {
    this.#failure = failure;
  }

  async probe(): Promise<{ version: string }> {
    return { version: '0.0-fake' };
  }

  async attach(spec: NetworkSpec, { signal }: Abortable = {}): Promise<NetworkAttachment> {
    signal?.throwIfAborted();
    const socketPath = socketPathOf(spec);
    await writeFile(socketPath, '', { mode: 0o600 });
    const { identity } = await spawnDetached('tail', ['--follow', socketPath], { logPath: '/dev/null' });
    const ready = this.#becomeReady(spec);
    ready.catch(() => {}); // for whoever waits for it
    return {
      process: identity,
      socketPath,
      guest: {
        address: '10.77.0.2/24',
        gateway: '10.77.0.1',
        dns: ['10.77.0.3'],
        mtu: 1500,
        mac: '52:54:00:00:00:01',
      },
      ready,
    };
  }

  async findAttachment(spec: NetworkSpec): Promise<ProcessIdentity | undefined> {
    const path = socketPathOf(spec);
    const [found] = await findProcessesByCommandLine((argv) => argv[0] === 'tail' && argv[2] === path);
    return found;
  }

  async listProcesses(folder: string): Promise<{ id: string; process: ProcessIdentity }[]> {
    const found = await matchProcesses((argv) => {
      const id = basename(dirname(argv[2] ?? ''));
      return argv[0] === 'tail' && argv[2] === socketPathOf({ id, runtimeDir: join(folder, id) })
        ? id
        : undefined;
    });
    return found.map(({ process, value: id }) => ({ id, process }));
  }

  async detach(spec: NetworkSpec): Promise<void> {
    const found = await this.findAttachment(spec);
    if (found) await endProcess(found);
    await rm(socketPathOf(spec), { force: true });
  }

  async #becomeReady(spec: NetworkSpec): Promise<void> {
    if (this.#failure === undefined) return;
    throw new UserError(
      'NETWORK_START_FAILED',
      `Cannot start the network of machine "${spec.id}": ${this.#failure}`,
      { details: { stderr: this.#failure } },
    );
  }
}

function socketPathOf({ runtimeDir }: NetworkSpec): string {
  return join(runtimeDir, 'net.sock');
}
