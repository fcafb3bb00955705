import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CRC_START, crc32c, crc32cOfNumber } from './crc32c.ts';

test('the check value of CRC-32C, before it is inverted', () => {
  assert.equal(crc32c(CRC_START, Buffer.from('123456789')), ~0xe3069283 >>> 0);
});

test('it goes on where it was', () => {
  const first = crc32c(CRC_START, Buffer.from('1234'));
  assert.equal(crc32c(first, Buffer.from('56789')), crc32c(CRC_START, Buffer.from('123456789')));
  assert.equal(crc32cOfNumber(first, 0x38373635), crc32c(first, Buffer.from('5678')));
});
