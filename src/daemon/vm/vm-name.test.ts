import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { checkVmName, generateVmName } from './vm-name.ts';

/** A generator that repeats itself, so that a run can be told in advance. */
function sequence(...values: number[]): () => number {
  let next = 0;
  return () => values[next++ % values.length] as number;
}

test('generated names are pairs of words that pass as names', () => {
  for (let round = 0; round < 500; round += 1) {
    const name = generateVmName(() => false);
    assert.match(name, /^[a-z]+-[a-z]+$/);
    checkVmName(name);
  }
});

test('both ends of the word lists can be reached', () => {
  assert.equal(
    generateVmName(() => false, sequence(0, 0)),
    'amber-badger',
  );
  assert.equal(
    generateVmName(() => false, sequence(1 - Number.EPSILON)),
    'zesty-wren',
  );
});

test('a taken name is not used', () => {
  const taken = new Set<string>();
  for (let round = 0; round < 200; round += 1) {
    const name = generateVmName((candidate) => taken.has(candidate));
    assert.ok(!taken.has(name));
    taken.add(name);
  }
});

test('once every plain pair is taken a number is added, and the name still passes', () => {
  const name = generateVmName((candidate) => !/\d/.test(candidate));
  assert.match(name, /^[a-z]+-[a-z]+-\d{1,4}$/);
  checkVmName(name);
});

test('DNS labels are names', () => {
  for (const name of ['a', '0', 'demo', 'a-b', 'a--b', '1-2', 'a'.repeat(63)]) checkVmName(name);
});

test('anything else is refused as it stands, never corrected', () => {
  const refused = [
    '',
    '-a',
    'a-',
    '-',
    'Demo',
    'a_b',
    'a.b',
    'a b',
    'é',
    'a\n',
    '../a',
    'a/b',
    'a\0',
    'a'.repeat(64),
  ];
  for (const name of refused) {
    assert.throws(
      () => checkVmName(name),
      (error) => isUserError(error, 'INVALID_NAME') && error.message.includes(`"${name}"`),
      JSON.stringify(name),
    );
  }
});
