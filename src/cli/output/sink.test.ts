import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Sink } from './sink.ts';

/** Takes a chunk only when told. */
class SlowStream extends Writable {
  readonly chunks: string[] = [];
  #take: ((error?: Error) => void) | undefined;

  constructor() {
    super({ highWaterMark: 4 });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.chunks.push(chunk.toString());
    this.#take = done;
  }

  take(error?: Error): void {
    this.#take?.(error);
  }
}

const brokenPipe = () => Object.assign(new Error('broken pipe'), { code: 'EPIPE' });

test('writing waits for the reader', async () => {
  const stream = new SlowStream();
  const sink = new Sink(stream);
  let isWritten = false;
  const writing = sink.write(Buffer.from('12345')).then(() => (isWritten = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isWritten, false);
  stream.take();
  await writing;
});

test('a reader that goes away ends the waiting, and is told apart', async () => {
  const stream = new SlowStream();
  const sink = new Sink(stream);
  const writing = sink.write(Buffer.from('12345'));
  stream.take(brokenPipe());
  await writing;
  await sink.broken;
  assert.equal(sink.isClosedPipe, true);
  await sink.write(Buffer.from('more'));
  await sink.flush();
  assert.deepEqual(stream.chunks, ['12345']);
});

test('another failure is no closed pipe', async () => {
  const stream = new SlowStream();
  const sink = new Sink(stream);
  sink.print('x');
  stream.take(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  await sink.broken;
  assert.equal(sink.isClosedPipe, false);
  assert.equal(sink.failure?.message, 'no space left');
});

test('flushing waits for what is queued', async () => {
  const stream = new SlowStream();
  const sink = new Sink(stream);
  sink.print('a');
  const flushing = sink.flush();
  stream.take();
  await new Promise((resolve) => setImmediate(resolve));
  stream.take();
  await flushing;
  assert.equal(stream.writableLength, 0);
});
