import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration } from './durations.ts';

test('parseDuration understands each unit, fractions and sums', () => {
  const examples: [string, number][] = [
    ['500ms', 500],
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1h1m1s1ms', 3_661_001],
    ['1.5s', 1500],
    ['0', 0],
    ['0s', 0],
  ];
  for (const [text, milliseconds] of examples) assert.equal(parseDuration(text), milliseconds, text);
});

test('parseDuration refuses what has no unit, a sign, spaces or anything after it', () => {
  const refused = [
    '',
    '90',
    '1.5',
    's',
    '-1s',
    '+1s',
    '1 s',
    ' 1s',
    '1s ',
    '1s,',
    '1d',
    '1S',
    '.5s',
    '1.s',
    '1e3s',
    '1s30',
  ];
  for (const text of refused) assert.equal(parseDuration(text), undefined, text);
});

test('parseDuration refuses a time that a double cannot hold exactly', () => {
  assert.equal(parseDuration(`${'9'.repeat(400)}h`), undefined);
  assert.equal(parseDuration(`${2 ** 53}ms`), undefined);
});

test('parseDuration is the inverse of writing a time in its units', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(59), fc.nat(59), fc.nat(999), (hours, minutes, seconds, ms) => {
      const text = `${hours}h${minutes}m${seconds}s${ms}ms`;
      assert.equal(parseDuration(text), ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms);
    }),
  );
});

test('parseDuration never answers with something other than whole milliseconds from 0 on', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9.hms ]{0,12}$/), (text) => {
      const milliseconds = parseDuration(text);
      assert.ok(
        milliseconds === undefined || (Number.isSafeInteger(milliseconds) && milliseconds >= 0),
        text,
      );
    }),
  );
});
