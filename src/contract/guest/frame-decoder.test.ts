import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameDecoder } from './frame-decoder.ts';
import { encodeFrame, FrameType, HEADER_BYTES, MAX_PAYLOAD_BYTES } from './frames.ts';
import type { Frame, OutgoingFrame } from './frames.ts';
import { MalformedError } from './malformed.ts';

const anyFrame = fc.record(
  {
    type: fc.constantFrom(...Object.values(FrameType)),
    stream: fc.integer({ min: 0, max: 255 }),
    channel: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.nat(MAX_PAYLOAD_BYTES).map((length) => new Uint8Array(length).fill(length)),
    ),
  },
  { noNullPrototype: true },
);

function encode(...frames: OutgoingFrame[]): Uint8Array {
  return Buffer.concat(frames.flatMap((frame) => encodeFrame(frame)));
}

function decode(chunks: Iterable<Uint8Array>, decoder = new FrameDecoder()): Frame[] {
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk, (frame) => frames.push({ ...frame, payload: Uint8Array.from(frame.payload) }));
  }
  return frames;
}

function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let offset = 0;
  for (const size of sizes) {
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
  yield bytes.subarray(offset);
}

function headerOf(changes: Record<number, number>): Uint8Array {
  const bytes = encode({ type: FrameType.DATA, channel: 1, stream: 1, payload: new Uint8Array(8) });
  for (const [offset, value] of Object.entries(changes)) bytes[Number(offset)] = value;
  return bytes;
}

describe('FrameDecoder', () => {
  it('gives back what was encoded, however it is cut into chunks', () => {
    const frames = fc.array(fc.tuple(anyFrame, fc.nat(20)), { maxLength: 6 });
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 20 }),
        (padded, sizes) => {
          const parts = padded.flatMap(([frame, zeros]) => [encode(frame), new Uint8Array(zeros)]);
          assert.deepEqual(
            decode(cut(Buffer.concat(parts), sizes)),
            padded.map(([frame]) => frame),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives back what was encoded, byte by byte', () => {
    const frame = { type: FrameType.OPEN, stream: 0, channel: 7, payload: Uint8Array.of(1, 2, 3) };
    const bytes = encode(frame, frame);
    assert.deepEqual(decode(cut(bytes, Array<number>(bytes.length).fill(1))), [frame, frame]);
  });

  it('does not copy a payload that lies inside one chunk', () => {
    const bytes = encode({ type: FrameType.DATA, channel: 1, stream: 1, payload: new Uint8Array(20_000) });
    new FrameDecoder().push(bytes, ({ payload }) => assert.equal(payload.buffer, bytes.buffer));
  });

  it('survives any bytes: frames, or MalformedError', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        try {
          decode(chunks);
        } catch (error) {
          assert.ok(error instanceof MalformedError);
        }
      }),
    );
  });

  it('refuses any single damaged byte of the magic, type, length or trailer', () => {
    const good = headerOf({});
    for (const offset of [0, 1, 2, 10, 11, good.length - 4, good.length - 1]) {
      const damaged = headerOf({ [offset]: 0xee });
      assert.throws(() => decode([damaged]), MalformedError, `offset ${offset}`);
    }
  });

  it('tells garbage at its first byte, before a header is complete', () => {
    assert.throws(() => decode([Uint8Array.of(0, 0, 0x47)]), MalformedError);
    assert.throws(() => decode([Uint8Array.of(0xba, 0x6f)]), MalformedError);
    assert.throws(() => decode([Uint8Array.of(0xba, 0x6e, 99)]), MalformedError);
  });

  it('refuses a payload that is too long at its header, before memory is taken for it', () => {
    const decoder = new FrameDecoder();
    const header = headerOf({ 8: 1, 9: 0, 10: 1, 11: 0 }).subarray(0, HEADER_BYTES);
    assert.throws(() => decode([header], decoder), /65537 bytes/);
  });

  it('knows whether it is between two frames', () => {
    const decoder = new FrameDecoder();
    const bytes = headerOf({});
    decode([new Uint8Array(100), bytes.subarray(0, 5)], decoder);
    assert.equal(decoder.atBoundary, false);
    decode([bytes.subarray(5), new Uint8Array(3)], decoder);
    assert.equal(decoder.atBoundary, true);
  });
});

describe('FrameDecoder of a guest', () => {
  it('drops a frame that a new host cut off, at any byte', () => {
    const next = { type: FrameType.PING, stream: 0, channel: 0, payload: Uint8Array.of(9) };
    const old = encode({
      type: FrameType.DATA,
      channel: 1,
      stream: 0,
      payload: new Uint8Array(40).fill(0xff),
    });
    for (let length = 0; length < old.length; length += 1) {
      const bytes = Buffer.concat([old.subarray(0, length), new Uint8Array(65_552), encode(next)]);
      assert.deepEqual(
        decode([bytes], new FrameDecoder({ dropCutFrames: true })),
        [next],
        `cut at ${length}`,
      );
      const halves = cut(bytes, [length]);
      assert.deepEqual(
        decode(halves, new FrameDecoder({ dropCutFrames: true })),
        [next],
        `chunked at ${length}`,
      );
    }
  });

  it('still refuses other garbage', () => {
    const decoder = new FrameDecoder({ dropCutFrames: true });
    assert.throws(() => decode([Uint8Array.of(0xba, 0x01)], decoder), MalformedError);
  });
});

describe('encodeFrame', () => {
  it('leaves a large payload where it is', () => {
    const payload = new Uint8Array(10_000);
    const parts = encodeFrame({ type: FrameType.DATA, channel: 1, payload });
    assert.equal(parts[1], payload);
  });

  it('joins a small frame into one part', () => {
    assert.equal(encodeFrame({ type: FrameType.CREDIT, channel: 1, payload: new Uint8Array(4) }).length, 1);
  });

  it('refuses a payload that no receiver takes', () => {
    const payload = new Uint8Array(MAX_PAYLOAD_BYTES + 1);
    assert.throws(() => encodeFrame({ type: FrameType.DATA, channel: 1, payload }), RangeError);
  });
});
