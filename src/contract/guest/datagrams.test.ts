import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUserError } from '../errors.ts';
import { DatagramDecoder, frameDatagram, MAX_DATAGRAM_BYTES } from './datagrams.ts';
import { MalformedError } from './malformed.ts';

function decode(decoder: DatagramDecoder, ...pieces: Uint8Array[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const piece of pieces) decoder.push(piece, (datagram) => found.push(datagram));
  return found;
}

describe('datagrams on a stream', () => {
  const datagrams = [[1, 2, 3], [], [4], Array.from({ length: 300 }, (_, index) => index % 256)].map(
    (bytes) => Uint8Array.from(bytes),
  );
  const stream = Buffer.concat(datagrams.map(frameDatagram));

  it('come out as they went in, wherever the stream is cut', () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
        stream.subarray(index * size, (index + 1) * size),
      );
      assert.deepEqual(decode(new DatagramDecoder(), ...pieces), datagrams, `pieces of ${size}`);
    }
  });

  it('may be as long as UDP allows, and no longer', () => {
    const longest = new Uint8Array(MAX_DATAGRAM_BYTES).fill(7);
    assert.deepEqual(decode(new DatagramDecoder(), frameDatagram(longest)), [longest]);
    assert.throws(
      () => frameDatagram(new Uint8Array(MAX_DATAGRAM_BYTES + 1)),
      (error) => isUserError(error, 'INVALID_ARGUMENT'),
    );
    assert.throws(() => decode(new DatagramDecoder(), Uint8Array.of(0xff, 0xff, 1)), MalformedError);
  });
});
