import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { isVmId } from '#base/ids.ts';
import { UserError } from '#contract/errors.ts';
import { endProcess, endProcesses } from '#host/end-processes.ts';
import { pathExists, readFileIfThere } from '#host/files.ts';
import {
  commandLineOf,
  findProcessesByCommandLine,
  matchProcesses,
  type ProcessIdentity,
} from '#host/proc.ts';
import { CommandError, lastLines } from '#host/run-command.ts';
import { spawnDetached, type DetachedProcess } from '#host/spawn-detached.ts';
import type { GuestNetwork, NetworkAttachment, NetworkDriver, NetworkSpec } from '../network.ts';
import { GATEWAY_ADDRESS, GUEST_ADDRESS, MTU, PREFIX_LENGTH, guestMac } from './addresses.ts';
import { chooseGuestDns } from './guest-dns.ts';
import { networkPaths, type NetworkPaths } from './network-paths.ts';
import { passtArguments } from './passt-arguments.ts';
import { passtVersion } from './passt-version.ts';

export interface UserNetworkOptions {
  /** The program between the machine and passt, `native/build/net-guard`. */
  guardPath: string;
  /** Default `passt`, looked up in PATH. */
  passt?: string | undefined;
  /** Default `/etc/resolv.conf`. */
  resolvConfPath?: string | undefined;
  /** Resolvers for guests instead of those of the host. */
  resolvers?: readonly string[] | undefined;
}

interface GuardStart {
  spec: NetworkSpec;
  child: DetachedProcess;
  paths: NetworkPaths;
}

/** passt is ready after 20 ms; the rest is for a host that is very busy. */
const START_TIMEOUT_MS = 15_000;

/**
 * Driver: outbound connections through passt, one for each machine, without root. The guard in front of it starts passt,
 * filters what the guest sends (the host's loopback is out of reach), and ends with it or with the hypervisor.
 */
export class UserNetwork implements NetworkDriver {
  readonly name = 'user';
  readonly #guardPath: string;
  readonly #passt: string;
  readonly #resolvConfPath: string;
  readonly #resolvers: readonly string[] | undefined;

  constructor(options: UserNetworkOptions) {
    this.#guardPath = options.guardPath;
    this.#passt = options.passt ?? 'passt';
    this.#resolvConfPath = options.resolvConfPath ?? '/etc/resolv.conf';
    this.#resolvers = options.resolvers;
  }

  async probe({ signal }: Abortable = {}): Promise<{ version: string }> {
    try {
      return { version: `passt ${await passtVersion(this.#passt, { signal })}` };
    } catch (error) {
      if (!(error instanceof CommandError) || error.systemCode !== 'ENOENT') throw error;
      throw this.#toolMissing(error);
    }
  }

  async attach(spec: NetworkSpec, { signal }: Abortable = {}): Promise<NetworkAttachment> {
    signal?.throwIfAborted();
    const paths = networkPaths(spec.runtimeDir);
    await removeFiles(paths); // those of a guard that was killed would look like this one's
    const guest = await this.#describeGuest(spec.id);
    const child = await this.#spawnGuard(paths, guest.dns);
    const start = { spec, child, paths };
    try {
      await this.#waitFor(paths.socket, start, { signal });
    } catch (error) {
      await endProcess(child.identity); // whatever its command line says: it has just been executed
      await this.detach(spec);
      throw error;
    }
    const ready = this.#waitFor(paths.ready, start, { signal });
    ready.catch(() => {}); // for whoever waits for it
    return { process: child.identity, socketPath: paths.socket, guest, ready };
  }

  async findAttachment(spec: NetworkSpec): Promise<ProcessIdentity | undefined> {
    const { socket } = networkPaths(spec.runtimeDir);
    const [guard] = await findProcessesByCommandLine((argv) => argv[1] === socket);
    return guard;
  }

  async listProcesses(folder: string): Promise<{ id: string; process: ProcessIdentity }[]> {
    // passt's log is among the arguments of the guard too, which starts passt.
    const found = await matchProcesses((argv) => argv.map((word) => vmOfPath(word, folder)).find(Boolean));
    return found.map(({ process, value: id }) => ({ id, process }));
  }

  async detach(spec: NetworkSpec, process?: ProcessIdentity): Promise<void> {
    const paths = networkPaths(spec.runtimeDir);
    const carriesThis = (argv: readonly string[]) => argv.includes(paths.log);
    if (process && carriesThis(await commandLineOf(process.pid))) await endProcess(process);
    // passt ends with its guard by itself; it is looked for so that nothing is left when this returns. Until it is executed it
    // looks like a second guard.
    await endProcesses(() => findProcessesByCommandLine(carriesThis));
    await removeFiles(paths);
  }

  /** Until the file is there. */
  async #waitFor(path: string, { spec, child, paths }: GuardStart, { signal }: Abortable): Promise<void> {
    try {
      await waitForFile(path, child, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#startError(spec, await readOutput(paths), error);
    }
  }

  async #describeGuest(id: string): Promise<GuestNetwork> {
    return {
      address: `${GUEST_ADDRESS}/${PREFIX_LENGTH}`,
      gateway: GATEWAY_ADDRESS,
      dns: this.#resolvers ?? chooseGuestDns((await readFileIfThere(this.#resolvConfPath)) ?? ''),
      mtu: MTU,
      mac: guestMac(id),
    };
  }

  async #spawnGuard(paths: NetworkPaths, dns: readonly string[]): Promise<DetachedProcess> {
    const args = [paths.socket, GUEST_ADDRESS, GATEWAY_ADDRESS, this.#passt, ...passtArguments(paths, dns)];
    try {
      return await spawnDetached(this.#guardPath, args, { logPath: paths.output });
    } catch (error) {
      await removeFiles(paths);
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      throw new UserError('HOST_TOOL_MISSING', `Cannot start a network: "${this.#guardPath}" is not built`, {
        hint: 'make -C native',
        cause: error,
      });
    }
  }

  #startError(spec: NetworkSpec, output: string, error: unknown): unknown {
    if (error instanceof GuardEndedError && error.status === 127) return this.#toolMissing(error);
    if (!(error instanceof GuardEndedError) && !isTimeout(error)) return error;
    const stderr = lastLines(output, 20);
    const why = stderr === '' ? 'passt did not become ready' : lastLines(stderr, 2).replaceAll('\n', '; ');
    return new UserError('NETWORK_START_FAILED', `Cannot start the network of machine "${spec.id}": ${why}`, {
      hint: 'banger vm run --no-network needs none',
      details: { stderr },
      cause: error,
    });
  }

  #toolMissing(cause: unknown): UserError {
    return new UserError(
      'NETWORK_TOOL_MISSING',
      `Cannot connect machines to a network: "${this.#passt}" is not installed`,
      {
        hint: 'apt-get install passt',
        cause,
      },
    );
  }
}

/** The VM whose passt logs to this path. */
function vmOfPath(path: string, folder: string): string | undefined {
  const id = basename(dirname(path));
  return isVmId(id) && path === networkPaths(join(folder, id)).log ? id : undefined;
}

class GuardEndedError extends Error {
  readonly status: number | null;

  constructor(status: number | null) {
    super(`the network guard ended with status ${status}`);
    this.name = 'GuardEndedError';
    this.status = status;
  }
}

async function waitForFile(
  path: string,
  child: DetachedProcess,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ended = new AbortController();
  void child.exited.then(({ code }) => ended.abort(new GuardEndedError(code)));
  const bound = withTimeout(START_TIMEOUT_MS, signal, ended.signal);
  const isThere = async () => ((await pathExists(path)) ? true : undefined);
  await raceAbort(pollUntil(isThere, { signal: bound, firstMs: 1, maxMs: 5 }), bound);
}

async function removeFiles(paths: NetworkPaths): Promise<void> {
  await Promise.all(
    [...Object.values(paths), `${paths.socket}.new`].map((path: string) => rm(path, { force: true })),
  );
}

async function readOutput(paths: NetworkPaths): Promise<string> {
  return (await readFileIfThere(paths.output)) ?? '';
}
