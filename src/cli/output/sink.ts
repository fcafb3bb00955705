import { systemErrorCode } from '#base/errors.ts';

/** Of a Node stream, what a sink uses. */
export interface SinkStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly writableLength: number;
  write(chunk: Uint8Array | string, callback?: (error?: Error | null) => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Writes bytes to one of our outputs at the speed of its reader, and knows when that reader has gone. */
export class Sink {
  readonly #stream: SinkStream;
  readonly #broken = Promise.withResolvers<void>();
  #failure: Error | undefined;

  constructor(stream: SinkStream) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#failure ??= error;
      this.#broken.resolve();
    });
  }

  get isTTY(): boolean {
    return this.#stream.isTTY ?? false;
  }

  /** Of a terminal. */
  get columns(): number | undefined {
    return this.#stream.columns;
  }

  /** Why nothing can be written any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The reader has closed its end, as `head` does. */
  get isClosedPipe(): boolean {
    return systemErrorCode(this.#failure) === 'EPIPE';
  }

  /** Resolves once nothing can be written any more. */
  get broken(): Promise<void> {
    return this.#broken.promise;
  }

  /** For text of our own, which is never much. */
  print(text: string): void {
    if (!this.#failure) this.#stream.write(text);
  }

  /** Resolves when more may be written, at once when the sink is broken. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#failure || this.#stream.write(chunk)) return;
    await Promise.race([new Promise<void>((resolve) => this.#stream.once('drain', resolve)), this.broken]);
  }

  /** Resolves when everything is with the kernel, or the sink is broken. */
  async flush(): Promise<void> {
    if (this.#failure || this.#stream.writableLength === 0) return;
    await Promise.race([
      new Promise<void>((resolve) => this.#stream.write('', () => resolve())),
      this.broken,
    ]);
  }
}
