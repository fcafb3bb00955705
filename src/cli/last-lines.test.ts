import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOfLastLines } from './last-lines.ts';

const tail = (text: string, lines: number) => {
  const bytes = Buffer.from(text);
  return bytes.subarray(bytes.length - bytesOfLastLines(bytes, lines)).toString();
};

test('the last lines, whether or not the last one is ended', () => {
  assert.equal(tail('a\nb\nc\n', 2), 'b\nc\n');
  assert.equal(tail('a\nb\nc', 2), 'b\nc');
  assert.equal(tail('a\nb\n\n', 2), 'b\n\n');
  assert.equal(tail('a\nb\n', 9), 'a\nb\n');
  assert.equal(tail('a\nb\n', 0), '');
  assert.equal(tail('', 3), '');
  assert.equal(tail('\n', 1), '\n');
});
