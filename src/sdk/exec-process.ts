import type { Readable, Writable } from 'node:stream';
import { type Abortable, raceAbort } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { decodeLost } from '#contract/guest/lost.ts';
import {
  decodeCredit,
  encodeCredit,
  encodeResize,
  encodeSignal,
  GuestStream,
} from '#contract/guest/flow-control.ts';
import { type Frame, FrameType } from '#contract/guest/frames.ts';
import type { ExecResult, ExecStarted } from '#contract/owner/exec.ts';
import { ExecConnection } from './exec-connection.ts';
import type { UpgradedConnection } from './upgrade.ts';
import { ExecInput } from './exec-input.ts';
import { parseFailure, parseResult, parseStarted } from './exec-messages.ts';
import { ExecOutput } from './exec-output.ts';

/** @internal What else the daemon may say, for those who attach. */
export interface ExecNews {
  onOpened?: ((payload: Uint8Array) => void) | undefined;
  onLost?: ((bytes: number) => void) | undefined;
}

/**
 * A command that runs in a guest.
 *
 * Both outputs must be read, resumed or destroyed: like a full pipe, one that nobody reads stops the command after 256 KiB. With a
 * tty everything comes on `stdout`. When the command is lost (see {@link wait}) the streams are destroyed with that error, which
 * nobody has to listen for.
 */
export class ExecProcess implements Disposable {
  /** Ending it closes the command's input. Destroyed, without an error, when the command has ended. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #connection: ExecConnection;
  readonly #input: ExecInput;
  readonly #outputs: ReadonlyMap<number, ExecOutput>;
  readonly #started = Promise.withResolvers<ExecStarted>();
  readonly #result = Promise.withResolvers<ExecResult>();
  readonly #news: ExecNews;
  #pid = 0;
  #ended = false;

  /** @internal Use `client.vms.exec`. The daemon has been told what to run. */
  static async start(
    upgraded: UpgradedConnection,
    { signal, emptyStdin = false, ...news }: ExecNews & Abortable & { emptyStdin?: boolean | undefined },
  ): Promise<ExecProcess> {
    const command = new ExecProcess(upgraded, news);
    if (emptyStdin) command.#input.endSilently();
    command.#begin(signal);
    await command.#started.promise;
    return command;
  }

  private constructor(upgraded: UpgradedConnection, news: ExecNews) {
    this.#news = news;
    this.#connection = new ExecConnection(upgraded);
    this.#input = new ExecInput({
      data: (payload) => this.#connection.send({ type: FrameType.DATA, stream: GuestStream.INPUT, payload }),
      eof: () => this.#connection.send({ type: FrameType.EOF, stream: GuestStream.INPUT }),
    });
    const [output, errors] = [this.#output(GuestStream.OUTPUT), this.#output(GuestStream.ERRORS)];
    this.#outputs = new Map([
      [GuestStream.OUTPUT, output],
      [GuestStream.ERRORS, errors],
    ]);
    this.stdin = this.#input.writable;
    this.stdout = output.readable;
    this.stderr = errors.readable;
    // Callers may look at one of the two only.
    this.#started.promise.catch(() => {});
    this.#result.promise.catch(() => {});
  }

  /** In the guest. */
  get pid(): number {
    return this.#pid;
  }

  /**
   * Waits for the end of the command: exactly one of `exitCode` and `signal` (a number) is there. All output has been received by
   * then, but may still wait in the streams.
   *
   * @throws UserError `GUEST_LINK_LOST`, `GUEST_PROTOCOL`, `DAEMON_UNREACHABLE` when nobody can tell any more; the reason of this signal (the
   * command goes on) or of the one that was given to `exec` (it was ended)
   */
  wait({ signal }: Abortable = {}): Promise<ExecResult> {
    return raceAbort(this.#result.promise, signal);
  }

  /** Tells the terminal its size. Nothing happens without a tty and after the end. */
  resize(rows: number, columns: number): void {
    this.#connection.send({ type: FrameType.RESIZE, payload: encodeResize({ rows, columns }) });
  }

  /** Sends a signal, by number, to the command's process group (with a tty: to the terminal's foreground group). */
  kill(signal: number): void {
    this.#connection.send({ type: FrameType.SIGNAL, payload: encodeSignal(signal) });
  }

  /**
   * Leaves, and {@link wait} rejects with `OPERATION_CANCELLED`. A command that still runs gets SIGHUP and after 2 s SIGKILL, unless it is
   * a detached one that was only attached to. Idempotent.
   */
  close(): void {
    this.#fail(new UserError('OPERATION_CANCELLED', 'Cannot follow the command: it was left'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #begin(signal: AbortSignal | undefined): void {
    const onAbort = () => this.#fail(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const forget = () => signal?.removeEventListener('abort', onAbort);
    this.#result.promise.then(forget, forget);
    this.#connection.begin({
      onFrame: (frame) => this.#receive(frame),
      onLost: (error) => this.#fail(error),
    });
    if (signal?.aborted) onAbort();
  }

  #output(stream: GuestStream): ExecOutput {
    return new ExecOutput((bytes) =>
      this.#connection.send({ type: FrameType.CREDIT, stream, payload: encodeCredit(bytes) }),
    );
  }

  #receive({ type, stream, payload }: Frame): void {
    switch (type) {
      case FrameType.OPENED: {
        const started = parseStarted(payload);
        this.#pid = started.pid;
        this.#news.onOpened?.(payload);
        this.#started.resolve(started);
        return;
      }
      case FrameType.DATA:
        this.#outputs.get(stream)?.receive(payload);
        return;
      case FrameType.EOF:
        this.#outputs.get(stream)?.end();
        return;
      case FrameType.CREDIT:
        this.#input.grant(decodeCredit(payload));
        return;
      case FrameType.LOST:
        this.#news.onLost?.(decodeLost(payload));
        return;
      case FrameType.RESULT:
        this.#finish(parseResult(payload));
        return;
      case FrameType.ERROR:
        this.#fail(parseFailure(payload));
        return;
      default: // a newer daemon may say more than this build understands
    }
  }

  #finish(result: ExecResult): void {
    this.#ended = true;
    this.#connection.close();
    this.#input.close();
    for (const output of this.#outputs.values()) output.end();
    this.#result.resolve(result);
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.close();
    this.#input.close();
    for (const output of this.#outputs.values()) output.fail(error instanceof Error ? error : undefined);
    this.#started.reject(error);
    this.#result.reject(error);
  }
}
