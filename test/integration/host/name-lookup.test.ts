import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookUpHost } from '#host/name-lookup.ts';
import { runResolvectl } from '#host/systemd-resolved.ts';

test('a name of the host is found as programs find it', async () => {
  assert.ok((await lookUpHost('localhost')).includes('127.0.0.1'));
});

test('no addresses for a name that cannot be, and none after the time is over', async () => {
  assert.deepEqual(await lookUpHost('nobody.invalid.', { signal: AbortSignal.timeout(30_000) }), []);
  await assert.rejects(lookUpHost('localhost', { signal: AbortSignal.abort(new Error('over')) }), /over/);
});

test('resolvectl that is missing, or finds nobody to ask, says nothing', async () => {
  const output = await runResolvectl('no-such-verb');
  assert.equal(output, undefined);
});
