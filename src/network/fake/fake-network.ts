import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import {
  findProcessesByCommandLine,
  matchProcesses,
  signalProcess,
  waitForProcessExit,
  type ProcessIdentity,
} from '#host/proc.ts';
import { spawnDetached } from '#host/spawn-detached.ts';
import type { NetworkAttachment, NetworkDriver, NetworkSpec } from '../network.ts';

/** Carries nothing, but has a process and a file for each machine, which outlive whoever made them. */
export class FakeNetwork implements NetworkDriver {
  readonly name = 'fake';
  /** Set: attachments to come fail with this. */
  failure: string | undefined;

  async probe(): Promise<{ version: string }> {
    return { version: '0.0-fake' };
  }

  async attach(spec: NetworkSpec, { signal }: Abortable = {}): Promise<NetworkAttachment> {
    signal?.throwIfAborted();
    if (this.failure !== undefined) {
      throw new UserError(
        'NETWORK_START_FAILED',
        `Cannot start the network of machine "${spec.id}": ${this.failure}`,
        {
          details: { stderr: this.failure },
        },
      );
    }
    const socketPath = socketPathOf(spec);
    await writeFile(socketPath, '', { mode: 0o600 });
    const { identity } = await spawnDetached('tail', ['--follow', socketPath], { logPath: '/dev/null' });
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
    if (found) {
      await signalProcess(found, 'SIGKILL');
      await waitForProcessExit(found);
    }
    await rm(socketPathOf(spec), { force: true });
  }
}

function socketPathOf({ runtimeDir }: NetworkSpec): string {
  return join(runtimeDir, 'net.sock');
}
