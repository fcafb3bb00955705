import type { Duplex, Readable, Writable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { UserError } from '#contract/errors.ts';
import { decodeExecResult, decodeExecStarted, encodeExecOpen } from '#contract/guest/exec-messages.ts';
import type { AgentHello } from '#contract/guest/hello.ts';
import { decodeGrownRoot, encodeGrowRootOpen, encodeIdentityOpen } from '#contract/guest/machine-messages.ts';
import type { GrownRoot, GrowRootRequest, GuestIdentity } from '#contract/guest/machine-messages.ts';
import { encodePlainOpen, Operation } from '#contract/guest/open.ts';
import { decodePorts, encodePortsOpen } from '#contract/guest/port-messages.ts';
import type { ListeningPort, PortsRequest } from '#contract/guest/port-messages.ts';
import { encodePowerOffOpen } from '#contract/guest/power-off-messages.ts';
import type { PowerOffRequest } from '#contract/guest/power-off-messages.ts';
import { decodeStats } from '#contract/guest/stats-messages.ts';
import type { GuestStats } from '#contract/guest/stats-messages.ts';
import {
  decodeTarResult,
  encodeTarInOpen,
  encodeTarOutOpen,
  encodeTcpConnectOpen,
  encodeUdpConnectOpen,
} from '#contract/guest/transfer-messages.ts';
import type {
  ConnectRequest,
  TarInRequest,
  TarOutRequest,
  TarResult,
} from '#contract/guest/transfer-messages.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import type { ChannelHandler, RawChannel } from './channel.ts';
import { execError, operationError } from './guest-errors.ts';
import { GuestCommands } from './guest-commands.ts';
import { GuestDatagrams } from './guest-datagrams.ts';
import type { DatagramHandler } from './guest-datagrams.ts';
import { GuestProcess } from './guest-process.ts';
import { GuestService } from './guest-service.ts';
import { guestSocket } from './guest-socket.ts';
import { OperationChannel } from './operation-channel.ts';
import type { OperationOptions } from './operation-channel.ts';
import { AgentSession } from './session.ts';
import type { SessionOptions } from './session.ts';

export interface TarUpload {
  /** Takes the archive; its end is the archive's end. */
  archive: Writable;
  /** Resolves when everything is written in the guest. */
  result: Promise<TarResult>;
}

export interface TarDownload {
  archive: Readable;
  /** Resolves when everything was sent; the archive must be read for that. */
  result: Promise<TarResult>;
}

const nothing = (): void => {};

/**
 * The agent of one running guest.
 *
 * Besides its own errors every method throws UserError `GUEST_LINK_LOST` when the session ends meanwhile, `GUEST_PROTOCOL`
 * when the guest breaks the protocol, `GUEST_NOT_ANSWERING` when the signal is a deadline that passed, `GUEST_OPERATION_FAILED`
 * (details.guestCode) when the agent refuses, and the signal's reason.
 */
export class AgentClient {
  /** The commands that run on without a session. */
  readonly commands: GuestCommands;
  /** The service that the agent supervises. */
  readonly service: GuestService;
  readonly #session: AgentSession;

  /**
   * Begins a session on the stream of a guest link, waiting for a guest that still boots. Owns the stream, also when it rejects.
   *
   * @throws UserError `GUEST_NOT_ANSWERING`, `GUEST_PROTOCOL`, `GUEST_PROTOCOL_UNSUPPORTED`, `GUEST_LINK_LOST`
   */
  static async connect(stream: Duplex, options: SessionOptions = {}): Promise<AgentClient> {
    return new AgentClient(await AgentSession.open(stream, options));
  }

  private constructor(session: AgentSession) {
    this.commands = new GuestCommands(session);
    this.service = new GuestService(session);
    this.#session = session;
  }

  get hello(): AgentHello {
    return this.#session.hello;
  }

  /** Resolves when the session is over: with what ended it, or undefined after {@link close}. */
  get closed(): Promise<UserError | undefined> {
    return this.#session.closed;
  }

  /** Round trip in milliseconds. */
  ping(options: Abortable = {}): Promise<number> {
    return this.#session.ping(options);
  }

  /**
   * Starts a command; resolves when it runs. The signal is about the start only.
   *
   * @throws UserError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE`
   */
  async exec(request: ExecRequest, options: Abortable = {}): Promise<GuestProcess> {
    const operation = new OperationChannel(this.#session, {
      action: `run "${request.argv[0] ?? ''}"`,
      open: encodeExecOpen(request),
      abandonedInput: 'eof',
      decodeOpened: decodeExecStarted,
      decodeResult: decodeExecResult,
      toError: execError,
    });
    return new GuestProcess(await operation.waitOpened(options), operation);
  }

  /**
   * Grows the root file system, which stays in use, to the size of its disk.
   *
   * @throws UserError `GUEST_OPERATION_FAILED` with details.guestCode `TIMEOUT` when the guest does not see `diskBytes` in time
   */
  growRoot(options: GrowRootRequest & Abortable = {}): Promise<GrownRoot> {
    const action = 'grow the root file system of the guest';
    const open = encodeGrowRootOpen(options);
    return this.#operation({ action, open, decodeResult: decodeGrownRoot }).waitResult(options);
  }

  /** Changes who the guest is, in its kernel and in its files. @throws UserError `INVALID_ARGUMENT` */
  setIdentity(identity: GuestIdentity, options: Abortable = {}): Promise<void> {
    const action = 'change the identity of the guest';
    const open = encodeIdentityOpen(identity);
    return this.#operation({ action, open, decodeResult: nothing }).waitResult(options);
  }

  /** Opens a channel whose frames the caller handles itself; `open` is an encoded `OPEN`. */
  openChannel(open: Uint8Array, handler: ChannelHandler): RawChannel {
    return this.#session.openChannel(open, handler);
  }

  ports(options: PortsRequest & Abortable = {}): Promise<ListeningPort[]> {
    const action = 'list the ports of the guest';
    const open = encodePortsOpen(options);
    return this.#operation({ action, open, decodeResult: decodePorts }).waitResult(options);
  }

  stats(options: Abortable = {}): Promise<GuestStats> {
    return this.#ask(
      Operation.STATS,
      { action: 'read the load of the guest', decodeResult: decodeStats },
      options,
    );
  }

  /** Resolves when the guest has written all its file systems. */
  sync(options: Abortable = {}): Promise<void> {
    return this.#ask(
      Operation.SYNC,
      { action: 'sync the disks of the guest', decodeResult: nothing },
      options,
    );
  }

  /** Resolves when the guest has synced and begins to power off; the session ends when it is off. */
  async powerOff(options: PowerOffRequest & Abortable = {}): Promise<void> {
    const operation = this.#operation({
      action: 'power off the guest',
      open: encodePowerOffOpen(options),
      decodeResult: nothing,
    });
    await operation.waitOpened(options);
  }

  /**
   * Unpacks a tar into a folder; resolves when the guest is ready for it. Destroying the archive stream gives up.
   *
   * @throws UserError `INVALID_ARGUMENT`
   */
  async tarIn(folder: string, options: Omit<TarInRequest, 'folder'> & Abortable = {}): Promise<TarUpload> {
    const operation = this.#operation({
      action: `unpack into "${folder}"`,
      open: encodeTarInOpen({ ...options, folder }),
      decodeResult: decodeTarResult,
    });
    await operation.waitOpened(options);
    return { archive: operation.input, result: operation.result };
  }

  /**
   * Packs a file or folder; begins at once. Destroying the archive stream gives up.
   *
   * @throws UserError `INVALID_ARGUMENT`
   */
  tarOut(path: string, options: Omit<TarOutRequest, 'path'> = {}): TarDownload {
    const operation = this.#operation({
      action: `pack "${path}"`,
      open: encodeTarOutOpen({ ...options, path }),
      decodeResult: decodeTarResult,
    });
    operation.output.once('close', () => {
      if (!operation.output.readableEnded) operation.close();
    });
    return { archive: operation.output, result: operation.result };
  }

  /**
   * Connects to a TCP port inside the guest, by default on its loopback.
   *
   * @throws UserError `GUEST_OPERATION_FAILED` with details.guestCode `REFUSED` or `TIMEOUT`, `INVALID_ARGUMENT`
   */
  async connectTcp(port: number, options: Omit<ConnectRequest, 'port'> & Abortable = {}): Promise<Duplex> {
    const operation = this.#operation({
      action: `connect to port ${port} of the guest`,
      open: encodeTcpConnectOpen({ ...options, port }),
      decodeResult: nothing,
    });
    await operation.waitOpened(options);
    return guestSocket(operation);
  }

  /**
   * A UDP socket inside the guest whose peer is a port there, by default on its loopback. Datagrams may be sent at once.
   *
   * @throws UserError `INVALID_ARGUMENT`
   */
  connectUdp(request: ConnectRequest, handler: DatagramHandler): GuestDatagrams {
    const open = encodeUdpConnectOpen(request);
    return new GuestDatagrams((channel) => this.#session.openChannel(open, channel), handler);
  }

  /** Ends the session and everything that runs on it. Idempotent. */
  close(): Promise<void> {
    return this.#session.close();
  }

  #operation<Result>(
    options: Pick<OperationOptions<void, Result>, 'action' | 'open' | 'decodeResult'>,
  ): OperationChannel<void, Result> {
    const common = { abandonedInput: 'close', decodeOpened: nothing, toError: operationError } as const;
    return new OperationChannel(this.#session, { ...options, ...common });
  }

  #ask<Result>(
    operation: Operation,
    options: Pick<OperationOptions<void, Result>, 'action' | 'decodeResult'>,
    abortable: Abortable,
  ): Promise<Result> {
    return this.#operation({ ...options, open: encodePlainOpen(operation) }).waitResult(abortable);
  }
}
