import type { Abortable } from '#base/abort.ts';
import type { DoctorReport, Host } from '#contract/owner/host.ts';
import { API_PREFIX } from '#contract/version.ts';
import { CommandsClient } from './commands.ts';
import { EventsClient } from './events.ts';
import { FsckClient } from './fsck.ts';
import { ImagesClient } from './images.ts';
import { KernelsClient } from './kernels.ts';
import { OperationsClient } from './operations.ts';
import { PortsClient } from './ports.ts';
import { readBody } from './response.ts';
import { defaultSocketPath } from './socket-path.ts';
import { StatsClient } from './stats.ts';
import { Transport } from './transport.ts';
import { VmsClient } from './vms.ts';

export interface ConnectOptions extends Abortable {
  /** Unix socket of the daemon. Default: `$XDG_RUNTIME_DIR/banger/bangerd.sock`, else `/tmp/banger-runtime-UID/bangerd.sock`. */
  socketPath?: string;
  /**
   * Starts the daemon; resolves when it accepts connections. Called when nobody listens on the socket, now or at a later request.
   * Without it such a request fails with `DAEMON_UNREACHABLE`.
   */
  startDaemon?: (options: Abortable) => Promise<void>;
  /** Asks for nothing yet: the first request finds out whether the daemon runs (and starts it, if told how). Saves a round trip. */
  lazy?: boolean;
}

/**
 * A connection to the banger daemon of one user.
 *
 * Every method takes a signal and throws `UserError`, whose `code` is one of docs/errors.md. Besides its own codes each can throw
 * `DAEMON_UNREACHABLE` (nobody listens, or the daemon went away meanwhile), `DAEMON_VERSION_MISMATCH` (it is another build),
 * `DAEMON_STOPPING`, `INVALID_ARGUMENT`, `INTERNAL`, and the signal's reason.
 *
 * @example
 * ```ts
 * using client = await BangerClient.connect();
 * const vm = await (await client.vms.create({ memoryMiB: 512 })).result();
 * const command = await client.vms.exec(vm.id, { argv: ['uname', '-a'] });
 * command.stdout.pipe(process.stdout);
 * const { exitCode, signal } = await command.wait();
 * ```
 */
export class BangerClient implements Disposable {
  readonly vms: VmsClient;
  readonly images: ImagesClient;
  readonly kernels: KernelsClient;
  readonly operations: OperationsClient;
  readonly commands: CommandsClient;
  readonly events: EventsClient;
  readonly fsck: FsckClient;
  readonly stats: StatsClient;
  readonly ports: PortsClient;
  readonly #transport: Transport;

  private constructor(transport: Transport) {
    this.#transport = transport;
    this.operations = new OperationsClient(transport);
    this.vms = new VmsClient(transport, this.operations);
    this.commands = new CommandsClient(transport);
    this.events = new EventsClient(transport);
    this.images = new ImagesClient(transport, this.operations);
    this.kernels = new KernelsClient(transport, this.operations);
    this.fsck = new FsckClient(transport);
    this.stats = new StatsClient(transport);
    this.ports = new PortsClient(transport);
  }

  /**
   * Checks, unless it is to be lazy, that the daemon accepts connections (and starts it, if told how). Says nothing of its build yet.
   *
   * @throws UserError `DAEMON_UNREACHABLE`; what `startDaemon` throws
   */
  static async connect(options: ConnectOptions = {}): Promise<BangerClient> {
    const { socketPath = defaultSocketPath(), startDaemon, lazy = false, signal } = options;
    const transport = new Transport({ socketPath, startDaemon });
    if (!lazy) await transport.ensureReachable({ signal });
    return new BangerClient(transport);
  }

  /** What the daemon is and what it found on this machine. Works with a daemon of another build too. */
  async host(options: Abortable = {}): Promise<Host> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/host`,
      anyBuild: true,
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/host.ts')).hostSchema);
  }

  /** Checks everything that banger needs of this machine: a row for each, with a hint where something is missing. */
  async doctor(options: Abortable = {}): Promise<DoctorReport> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/doctor`,
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/host.ts')).doctorReportSchema);
  }

  /** Asks the daemon to stop; it is still going down when this resolves. VMs keep running. Works with another build too. */
  async stopDaemon(options: Abortable = {}): Promise<void> {
    const path = `${API_PREFIX}/daemon/stop`;
    const response = await this.#transport.send({
      method: 'POST',
      path,
      anyBuild: true,
      signal: options.signal,
    });
    response.resume();
  }

  /** Closes idle connections; what runs goes on. */
  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
