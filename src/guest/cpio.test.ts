import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeCpio } from './cpio.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('writes the header fields in the order of the newc form', () => {
  const archive = writeCpio([
    { kind: 'file', path: 'init', mode: 0o755, content: new Uint8Array([65, 66, 67]) },
  ]);
  const fields = text(archive.subarray(0, 110)).match(/.{8}/g);
  assert.equal(text(archive.subarray(0, 6)), '070701');
  assert.equal(fields?.length, 13);
  const numbers = (text(archive.subarray(6, 110)).match(/.{8}/g) ?? []).map((digits) => parseInt(digits, 16));
  assert.deepEqual(numbers, [1, 0o100755, 0, 0, 1, 0, 3, 0, 0, 0, 0, 5, 0]);
  assert.equal(text(archive.subarray(110, 114)), 'init');
});

test('pads names and contents to four bytes, with zeros', () => {
  const archive = writeCpio([
    { kind: 'file', path: 'abc', mode: 0o644, content: new Uint8Array([1, 2, 3, 4, 5]) },
  ]);
  const contentAt = 116; // 110 of the header, "abc\0", two of padding
  assert.deepEqual([...archive.subarray(114, 124)], [0, 0, 1, 2, 3, 4, 5, 0, 0, 0]);
  assert.equal(text(archive.subarray(contentAt + 8, contentAt + 14)), '070701');
});

test('ends with the trailer', () => {
  const archive = writeCpio([]);
  assert.equal(text(archive.subarray(110, 120)), 'TRAILER!!!');
  assert.equal(archive.length % 4, 0);
});

test('tells folders and devices apart', () => {
  const archive = text(
    writeCpio([
      { kind: 'folder', path: 'dev', mode: 0o755 },
      { kind: 'device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    ]),
  );
  const second = archive.indexOf('070701', 6);
  assert.equal(archive.slice(14, 22), '000041ed');
  assert.equal(archive.slice(second + 14, second + 22), '00002180');
  assert.equal(archive.slice(second + 78, second + 94), '0000000500000001');
});
