import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PayloadQueue } from './payload-queue.ts';

function drain(queue: PayloadQueue): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let piece = queue.shift(); piece; piece = queue.shift()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('PayloadQueue', () => {
  it('gives bytes back in order, whatever the pieces', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 40_000 })));
    fc.assert(
      fc.property(sizes, fc.nat(10), (lengths, readFirst) => {
        const queue = new PayloadQueue();
        const payloads = lengths.map((length, index) => new Uint8Array(length).fill(index));
        const read: Uint8Array[] = [];
        payloads.forEach((payload, index) => {
          queue.push(payload);
          if (index === readFirst) read.push(queue.shift() ?? new Uint8Array(0));
        });
        assert.deepEqual(Buffer.concat([...read, drain(queue)]), Buffer.concat(payloads));
        assert.equal(queue.isEmpty, true);
      }),
    );
  });

  it('joins small pieces', () => {
    const queue = new PayloadQueue();
    for (let index = 0; index < 1000; index += 1) queue.push(Uint8Array.of(index));
    assert.equal(queue.shift()?.length, 1000);
  });

  it('says how much it forgets', () => {
    const queue = new PayloadQueue();
    queue.push(new Uint8Array(10));
    queue.push(new Uint8Array(20_000));
    assert.equal(queue.clear(), 20_010);
    assert.equal(queue.isEmpty, true);
  });
});
