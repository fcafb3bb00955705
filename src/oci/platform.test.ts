import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import type { Platform } from './manifest.ts';
import { assertPlatform, choosePlatform, hostArchitecture } from './platform.ts';

function entry(name: string, platform?: Platform) {
  return { mediaType: 'm', digest: name, size: 1, platform };
}

const linux = (architecture: string, variant?: string): Platform => ({ os: 'linux', architecture, variant });

test('the entry for Linux on this architecture is chosen', () => {
  const entries = [
    entry('none'),
    entry('windows', { os: 'windows', architecture: 'amd64' }),
    entry('arm', linux('arm64', 'v8')),
    entry('right', linux('amd64')),
  ];
  assert.equal(choosePlatform(entries, 'amd64').digest, 'right');
  assert.equal(choosePlatform(entries, 'arm64').digest, 'arm');
});

test('what does not say what it is for is taken when nothing fits', () => {
  const entries = [entry('windows', { os: 'windows', architecture: 'amd64' }), entry('one'), entry('two')];
  assert.equal(choosePlatform(entries, 'amd64').digest, 'one');
});

test('variants that newer processors need are left alone', () => {
  assert.equal(
    choosePlatform([entry('v3', linux('amd64', 'v3')), entry('v1', linux('amd64'))], 'amd64').digest,
    'v1',
  );
  assert.throws(
    () => choosePlatform([entry('v3', linux('amd64', 'v3'))], 'amd64'),
    /only for linux\/amd64\/v3/,
  );
});

test('when there is none, what there is is listed, attestations left out', () => {
  const entries = [
    entry('a', linux('s390x')),
    entry('b', linux('arm', 'v7')),
    entry('c', { os: 'unknown', architecture: 'unknown' }),
  ];
  assert.throws(
    () => choosePlatform(entries, 'amd64'),
    (error) =>
      isUserError(error, 'IMAGE_PLATFORM_MISSING') &&
      error.message.endsWith('only for linux/arm/v7, linux/s390x'),
  );
  assert.throws(() => choosePlatform([], 'amd64'), /only for none/);
});

test('an image without an index must be for this architecture too', () => {
  assertPlatform(linux('amd64', ''), 'amd64');
  assert.throws(
    () => assertPlatform(linux('arm64'), 'amd64'),
    /not made for linux\/amd64, only for linux\/arm64/,
  );
  assert.match(hostArchitecture(), /^[a-z0-9]+$/);
});
