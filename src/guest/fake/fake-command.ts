import { setImmediate as nextTurn } from 'node:timers/promises';
import { delay } from '#base/backoff.ts';
import { GuestStream } from '#contract/guest/flow-control.ts';
import type { DetachedCommand, StartCommandRequest } from '#contract/owner/command.ts';
import type { ExecResult } from '#contract/owner/exec.ts';
import { PayloadQueue } from '../payload-queue.ts';
import type { FakeProgram } from './fake-program.ts';

/** As much as the real agent keeps. */
const SCROLLBACK_BYTES = 256 * 1024;

interface Chunk {
  start: number;
  stream: GuestStream;
  bytes: Uint8Array;
}

/** A scripted command that runs without a channel. */
export class FakeCommand {
  readonly id: number;
  readonly pid: number;
  readonly request: StartCommandRequest;
  viewers = 0;
  result: ExecResult | undefined;
  readonly #startedAt = new Date();
  readonly #killing = new AbortController();
  readonly #input = new PayloadQueue();
  #inputEnded: boolean;
  #endedAt: Date | undefined;
  #killedBy = 0;
  #chunks: Chunk[] = [];
  #outputBytes = 0;
  #changed = Promise.withResolvers<void>();

  constructor(id: number, request: StartCommandRequest) {
    this.id = id;
    this.pid = 5000 + id;
    this.request = request;
    this.#inputEnded = !this.takesInput;
  }

  get takesInput(): boolean {
    return this.request.tty === true || this.request.stdin === true;
  }

  get keptFromByte(): number {
    return this.#chunks[0]?.start ?? this.#outputBytes;
  }

  get outputBytes(): number {
    return this.#outputBytes;
  }

  async run(program: FakeProgram): Promise<void> {
    try {
      this.result = await program({
        request: this.request,
        stdin: this.#readInput(),
        writeOut: (bytes) => this.#append(GuestStream.OUTPUT, bytes),
        writeError: (bytes) => this.#append(GuestStream.ERRORS, bytes),
        sleep: (ms) => delay(ms, { signal: this.#killing.signal }),
      });
    } catch (error) {
      if (!this.#killing.signal.aborted) throw error;
      this.result = { signal: this.#killedBy };
    }
    this.#inputEnded = true;
    this.#endedAt = new Date();
    this.#change();
  }

  kill(signal: number): void {
    this.#killedBy ||= signal;
    this.#killing.abort();
    this.#change();
  }

  write(bytes: Uint8Array): void {
    if (!this.#inputEnded) this.#input.push(bytes);
    this.#change();
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#change();
  }

  /** Resolves when there is more to see. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** What begins at `offset`, undefined when nothing does yet. */
  chunkAt(offset: number): Pick<Chunk, 'stream' | 'bytes'> | undefined {
    const chunk = this.#chunks.find(({ start, bytes }) => offset < start + bytes.length);
    return chunk && { stream: chunk.stream, bytes: chunk.bytes.subarray(offset - chunk.start) };
  }

  /** Where the last lines begin. */
  tail(lines: number): number {
    const text = Buffer.concat(this.#chunks.map(({ bytes }) => bytes));
    let at = text.length;
    for (let left = lines; left > 0 && at > 0; left -= 1)
      at = at < 2 ? 0 : text.lastIndexOf('\n', at - 2) + 1;
    return this.keptFromByte + (lines === 0 ? text.length : at);
  }

  describe(): DetachedCommand {
    const { id, pid, request, result, takesInput, viewers, keptFromByte, outputBytes } = this;
    const { argv, user, tty = false } = request;
    return {
      ...{ id, pid, argv, isArgvCut: false, tty, takesInput, viewers, keptFromByte, outputBytes },
      ...(user === undefined ? {} : { user }),
      ...(result === undefined
        ? { status: 'running' }
        : { status: 'exited', endedAt: this.#endedAt?.toISOString(), ...result }),
      startedAt: this.#startedAt.toISOString(),
    };
  }

  async *#readInput(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#input.shift();
      if (piece) yield piece;
      else if (this.#inputEnded) return;
      else await this.#changed.promise;
      this.#killing.signal.throwIfAborted();
    }
  }

  async #append(stream: GuestStream, text: Uint8Array | string): Promise<void> {
    const bytes = Buffer.from(text);
    this.#chunks.push({ start: this.#outputBytes, stream, bytes });
    this.#outputBytes += bytes.length;
    while (this.#outputBytes - this.keptFromByte > SCROLLBACK_BYTES) this.#forgetSome();
    this.#change();
    await nextTurn();
    this.#killing.signal.throwIfAborted();
  }

  #forgetSome(): void {
    const [first, ...rest] = this.#chunks;
    if (!first) return;
    const cut = this.#outputBytes - SCROLLBACK_BYTES - first.start;
    if (cut >= first.bytes.length) this.#chunks = rest;
    else this.#chunks[0] = { ...first, start: first.start + cut, bytes: first.bytes.subarray(cut) };
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
