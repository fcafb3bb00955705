import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NonceScanner } from './nonce-scanner.ts';

const NONCE = Uint8Array.from({ length: 16 }, (_, index) => (index * 7) % 5);

describe('NonceScanner', () => {
  it('finds the nonce in any noise, however it is cut', () => {
    const noise = fc
      .array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 })
      .map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(noise, noise, fc.array(fc.integer({ min: 1, max: 20 })), (before, after, sizes) => {
        const bytes = Buffer.concat([before, NONCE, after]);
        const expected = bytes.subarray(bytes.indexOf(NONCE) + NONCE.length);
        const scanner = new NonceScanner(NONCE);
        const found: Uint8Array[] = [];
        let isFound = false;
        let offset = 0;
        for (const size of [...sizes, bytes.length]) {
          const chunk = bytes.subarray(offset, offset + size);
          offset += size;
          const rest: Uint8Array | undefined = isFound ? chunk : scanner.push(chunk);
          if (rest) found.push(rest);
          isFound ||= rest !== undefined;
        }
        assert.deepEqual(Buffer.concat(found), expected);
      }),
    );
  });
});
