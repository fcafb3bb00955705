import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import {
  buildChoice,
  parseDiskSize,
  parseLineCount,
  parseMemory,
  parseTimeout,
  parseVcpus,
  parseVmReference,
} from './parameters.ts';

test('memory is in MiB, also as a plain number', () => {
  assert.equal(parseMemory('512M'), 512);
  assert.equal(parseMemory('2G'), 2048);
  assert.equal(parseMemory('2GiB'), 2048);
  assert.equal(parseMemory('1.5g'), 1536);
  assert.equal(parseMemory('512'), 512);
});

test('disks have a unit', () => {
  assert.equal(parseDiskSize('8G'), 8 * 2 ** 30);
  assert.equal(parseDiskSize('20GiB'), 20 * 2 ** 30);
});

test('times are seconds without a unit', () => {
  assert.equal(parseTimeout('30'), 30_000);
  assert.equal(parseTimeout('0'), 0);
  assert.equal(parseTimeout('1m30s'), 90_000);
  assert.equal(parseTimeout('500ms'), 500);
});

test('counts are whole', () => {
  assert.equal(parseVcpus('4'), 4);
  assert.equal(parseLineCount('0'), 0);
});

const REFUSED: [parse: (text: string) => unknown, texts: string[]][] = [
  [parseMemory, ['', 'lots', '-1', '1.5M', '512K', '9e9', '2 G B', '99999999999999999999']],
  [parseDiskSize, ['', '8', 'G', '-8G', '8X']],
  [parseVcpus, ['0', '-1', '1.5', 'two', '']],
  [parseTimeout, ['', 'soon', '-3', '3 s', '1.5']],
  [parseLineCount, ['-1', 'all', '1e3']],
];

for (const [parse, texts] of REFUSED) {
  for (const text of texts) {
    test(`${parse.name} refuses "${text}" with a hint`, () => {
      assert.throws(
        () => parse(text),
        (error) =>
          isUserError(error, 'INVALID_ARGUMENT') &&
          error.hint !== undefined &&
          error.message.includes(`"${text}"`),
      );
    });
  }
}

test('a VM is named by a word that is no flag', () => {
  assert.equal(parseVmReference('demo'), 'demo');
  assert.throws(() => parseVmReference('--x'), { code: 'USAGE' });
  assert.throws(() => parseVmReference(''), { code: 'USAGE' });
});

test('a choice is one of a few words', () => {
  const parse = buildChoice('shell', ['bash', 'zsh']);
  assert.equal(parse('zsh'), 'zsh');
  assert.throws(() => parse('tcsh'), /"tcsh" as shell: it is not one of bash, zsh/);
});
