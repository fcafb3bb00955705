import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePasstVersion } from './passt-version.ts';

test('the version as builds print it', () => {
  const rest = '\nCopyright Red Hat\nGNU General Public License, version 2 or later\n';
  assert.equal(parsePasstVersion(`passt 0.0~git20240606.6861ba0-1${rest}`), '0.0~git20240606.6861ba0-1');
  assert.equal(parsePasstVersion(`passt 2024_06_07.8a83b53${rest}`), '2024_06_07.8a83b53');
});

test('a build that does not know its version says so, and that is no version', () => {
  assert.equal(parsePasstVersion('passt unknown version\nCopyright Red Hat\n'), undefined);
  assert.equal(parsePasstVersion('something else\n'), undefined);
});
