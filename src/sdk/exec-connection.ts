import { countYoungBuffer } from '#base/young-buffers.ts';
import { UserError } from '#contract/errors.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { encodeFrame, type Frame, type OutgoingFrame } from '#contract/guest/frames.ts';
import { EXEC_CHANNEL } from '#contract/owner/exec-protocol.ts';
import type { UpgradedConnection } from './upgrade.ts';

export interface ExecConnectionEvents {
  onFrame(frame: Frame): void;
  /** Once, unless {@link ExecConnection.close} came first. */
  onLost(error: UserError): void;
}

/** The socket of one exec session, as frames. */
export class ExecConnection {
  readonly #connection: UpgradedConnection;
  readonly #decoder = new FrameDecoder();
  #events: ExecConnectionEvents | undefined;

  constructor(connection: UpgradedConnection) {
    this.#connection = connection;
  }

  begin(events: ExecConnectionEvents): void {
    const { socket, head } = this.#connection;
    this.#events = events;
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => this.#lose(undefined));
    socket.on('end', () => this.#lose(undefined));
    if (head.length > 0) this.#receive(head);
    socket.resume();
  }

  /** Never blocks: what may be queued is bounded by the credit of the streams. */
  send(frame: Omit<OutgoingFrame, 'channel'>): void {
    if (!this.#events) return;
    const { socket } = this.#connection;
    socket.cork();
    for (const part of encodeFrame({ ...frame, channel: EXEC_CHANNEL })) socket.write(part);
    process.nextTick(() => socket.uncork());
  }

  /** Leaves; a command that still runs is ended. Idempotent. */
  close(): void {
    this.#events = undefined;
    this.#connection.socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    countYoungBuffer(chunk.length);
    try {
      this.#decoder.push(chunk, (frame) => this.#events?.onFrame(frame));
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(cause: unknown): void {
    const events = this.#events;
    this.close();
    events?.onLost(
      new UserError('DAEMON_UNREACHABLE', 'Cannot follow the command: the daemon closed the connection', {
        hint: 'banger daemon status',
        cause,
      }),
    );
  }
}
