import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter } from './line-splitter.ts';

function split(chunks: readonly string[], maxBytes = 100): string[] {
  const splitter = new LineSplitter(maxBytes);
  return chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
}

test('lines come out as they went in, however the stream is cut', () => {
  const text = 'first\r\n\nthird line\n{"a":"ä"}\n';
  const whole = split([text]);
  assert.deepEqual(whole, ['first', '', 'third line', '{"a":"ä"}']);
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const splitter = new LineSplitter(100);
    const lines = [...splitter.push(bytes.subarray(0, cut)), ...splitter.push(bytes.subarray(cut))];
    assert.deepEqual(lines, whole);
  }
});

test('an unfinished line is kept back', () => {
  assert.deepEqual(split(['one\ntwo']), ['one']);
});

test('a line of the bound passes, one byte more does not, also when it never ends', () => {
  assert.deepEqual(split(['12345\n'], 5), ['12345']);
  assert.throws(() => split(['123456\n'], 5), /longer than 5 bytes/);
  assert.throws(() => split(['123', '456'], 5), /longer than 5 bytes/);
  assert.deepEqual(split(['12345\n12345\n', '12345\n'], 5), ['12345', '12345', '12345']);
});
