import type { Abortable } from '#base/abort.ts';
import { raceAbort } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { decodeCredit, GuestStream } from '#contract/guest/flow-control.ts';
import { FrameType, frameTypeName } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import { Credit } from './credit.ts';
import type { FrameWriter } from './frame-writer.ts';

/** What a channel tells its user. Called in the order of the wire. */
export interface ChannelHandler {
  /**
   * `OPENED`, `DATA`, `EOF`, `CREDIT`, and last `RESULT` or `ERROR`. The payload may be a view of a larger buffer:
   * who keeps it, copies it.
   */
  onFrame(frame: Frame): void;
  /** Once. With an error when the session ended, without after `RESULT`, `ERROR` or {@link RawChannel.close}. */
  onEnd(error: UserError | undefined): void;
}

export interface ChannelFrame {
  type: FrameType;
  stream?: number;
  payload?: Uint8Array;
}

/** The part of the session that a channel needs. */
export interface ChannelLink {
  readonly writer: FrameWriter;
  release(channel: number): void;
}

/**
 * One channel of a session, as frames. It keeps the account of the credit in both directions and refuses what exceeds it;
 * it buffers nothing.
 */
export class RawChannel {
  readonly number: number;
  readonly #link: ChannelLink;
  readonly #handler: ChannelHandler;
  readonly #sendCredit = new Credit();
  readonly #receiveCredits = new Map([
    [GuestStream.OUTPUT as number, new Credit()],
    [GuestStream.ERRORS as number, new Credit()],
  ]);
  #opened = false;
  #lost = false;
  #ended = false;

  constructor(number: number, link: ChannelLink, handler: ChannelHandler) {
    this.number = number;
    this.#link = link;
    this.#handler = handler;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes of stream 0 that the guest still takes. */
  get sendCredit(): number {
    return this.#ended ? 0 : this.#sendCredit.bytes;
  }

  /** False while the link is slower than its senders: wait with {@link whenWritable} before sending more data. */
  get isWritable(): boolean {
    return this.#link.writer.isWritable;
  }

  /**
   * Sends a frame; on a channel that has ended nothing happens. A payload must not be changed afterwards.
   *
   * @returns {@link isWritable}
   * @throws UserError `INVALID_ARGUMENT` for data or credit beyond the account; MalformedError for credit that is not a number
   */
  send(frame: ChannelFrame): boolean {
    if (this.#ended || !this.#account(frame)) return this.isWritable;
    this.#link.writer.write({ ...frame, channel: this.number });
    return this.isWritable;
  }

  /** Resolves when the link takes more data, or the channel has ended. */
  whenWritable(options: Abortable = {}): Promise<void> {
    if (this.isWritable || this.#ended) return Promise.resolve();
    return raceAbort(new Promise<void>((resolve) => this.onWritable(resolve)), options.signal);
  }

  /** Calls back once when the link takes more data or is gone. */
  onWritable(callback: () => void): void {
    this.#link.writer.onWritable(callback);
  }

  /** Says that the host has no more interest, which ends what runs. Idempotent. */
  close(): void {
    if (this.#ended) return;
    this.#link.writer.write({ type: FrameType.CLOSE, channel: this.number });
    this.#end(undefined);
  }

  /** For the session: a frame has come. @throws MalformedError */
  receive(frame: Frame): void {
    this.#check(frame);
    this.#handler.onFrame(frame);
    if (frame.type === FrameType.RESULT || frame.type === FrameType.ERROR) this.#end(undefined);
  }

  /** For the session: it has ended. */
  abandon(error: UserError): void {
    this.#end(error);
  }

  #end(error: UserError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#link.release(this.number);
    this.#handler.onEnd(error);
  }

  /** False when the frame is of no use any more. */
  #account(frame: ChannelFrame): boolean {
    const { type, stream = 0, payload = new Uint8Array(0) } = frame;
    if (type === FrameType.DATA && (stream !== GuestStream.INPUT || !this.#sendCredit.take(payload.length))) {
      throw beyondCredit(`${payload.length} bytes on stream ${stream}`, this.#sendCredit.bytes);
    }
    if (type !== FrameType.CREDIT) return true;
    const credit = this.#receiveCredits.get(stream);
    if (!credit) return false; // the grant and the guest's EOF crossed
    if (!credit.grant(decodeCredit(payload))) throw beyondCredit(`credit for stream ${stream}`, credit.bytes);
    return true;
  }

  #check(frame: Frame): void {
    switch (frame.type) {
      case FrameType.OPENED:
        if (this.#opened) throw new MalformedError('OPENED twice');
        this.#opened = true;
        return;
      case FrameType.DATA:
        this.#checkData(frame);
        return;
      case FrameType.EOF:
        // An end is final: without its account any later data is beyond the credit.
        if (!this.#receiveCredits.delete(frame.stream))
          throw new MalformedError(`EOF of stream ${frame.stream}`);
        return;
      case FrameType.CREDIT:
        this.#checkCredit(frame);
        return;
      case FrameType.LOST:
        this.#checkLost();
        return;
      case FrameType.RESULT:
      case FrameType.ERROR:
        return;
      default:
        throw new MalformedError(`${frameTypeName(frame.type)}, which only a host sends`);
    }
  }

  #checkData({ stream, payload }: Frame): void {
    const credit = this.#receiveCredits.get(stream);
    if (!credit) throw new MalformedError(`data of stream ${stream}, which is not open`);
    if (payload.length === 0) throw new MalformedError('DATA without data');
    if (!credit.take(payload.length)) throw new MalformedError('more data than it had credit for');
    this.#lost = false;
  }

  /** Only between data, so that the credit for that bounds these frames too. */
  #checkLost(): void {
    if (this.#lost) throw new MalformedError('LOST without data after it');
    this.#lost = true;
  }

  #checkCredit({ stream, payload }: Frame): void {
    if (stream !== GuestStream.INPUT || !this.#sendCredit.grant(decodeCredit(payload))) {
      throw new MalformedError(`too much credit for stream ${stream}`);
    }
  }
}

function beyondCredit(what: string, bytes: number): UserError {
  return new UserError('INVALID_ARGUMENT', `Cannot send ${what}: the credit is ${bytes} bytes`);
}
