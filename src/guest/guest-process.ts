import type { Readable, Writable } from 'node:stream';
import { encodeResize, encodeSignal } from '#contract/guest/flow-control.ts';
import type { TerminalSize } from '#contract/guest/flow-control.ts';
import type { ExecStarted } from '#contract/guest/exec-messages.ts';
import { FrameType } from '#contract/guest/frames.ts';
import type { ExecResult } from '#contract/owner/exec.ts';
import type { OperationChannel } from './operation-channel.ts';

/** What carries it, however it was opened. */
type CommandChannel = Pick<
  OperationChannel<unknown, ExecResult>,
  'input' | 'output' | 'errors' | 'result' | 'send' | 'close'
>;

/**
 * A command that runs in a guest. Both outputs must be read (or resumed, or destroyed): a full one stops the command,
 * as a full pipe would. With a tty all output is on `stdout`.
 */
export class GuestProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * How it ended: exactly one of exit code and signal.
   *
   * Rejects with UserError `GUEST_LINK_LOST` or `GUEST_PROTOCOL` when that cannot be known any more.
   */
  readonly exited: Promise<ExecResult>;
  readonly #operation: CommandChannel;

  constructor(started: ExecStarted, operation: CommandChannel) {
    this.pid = started.pid;
    this.stdin = operation.input;
    this.stdout = operation.output;
    this.stderr = operation.errors;
    this.exited = operation.result;
    this.#operation = operation;
  }

  /** Tells the terminal its size. Without effect once the command has ended. */
  resize(size: TerminalSize): void {
    this.#operation.send({ type: FrameType.RESIZE, payload: encodeResize(size) });
  }

  /** Sends a signal, by number, to the process group. Without effect once the command has ended. */
  kill(signal: number): void {
    this.#operation.send({ type: FrameType.SIGNAL, payload: encodeSignal(signal) });
  }

  /** Leaves: the guest hangs up on the command (SIGHUP, after 2 s SIGKILL) and {@link exited} rejects if it had not ended. */
  close(): void {
    this.#operation.close();
  }
}
