import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathExists, temporaryPathFor } from '#host/files.ts';
import { BlobCache } from './blob-cache.ts';
import { digestOf } from './digest.ts';

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'blobs-'));
  t.after(() => rm(folder, { recursive: true }));
  const cache = new BlobCache(folder);
  await cache.ensureFolders();
  const add = async (text: string) => {
    const digest = digestOf(Buffer.from(text));
    await writeFile(cache.partialPath(digest), text);
    await cache.publish(digest);
    return { mediaType: 'm', digest, size: text.length };
  };
  const names = async () =>
    (await readdir(join(folder, 'blobs/sha256'))).map((name) => `sha256:${name}`).toSorted();
  return { cache, add, names };
}

test('a blob is intact when it is hashed anew, else it is removed', async (t) => {
  const { cache, add, names } = await setUp(t);
  const blob = await add('content');
  assert.equal(await cache.hasIntact(blob), true);
  assert.equal(await cache.countBytes(blob.digest), 7);
  await writeFile(cache.blobPath(blob.digest), 'CONTENT');
  assert.equal(await cache.hasIntact(blob), false);
  assert.deepEqual(await names(), []);
  assert.equal(await cache.hasIntact(blob), false);
});

test('pruning frees what nobody holds, and half downloads', async (t) => {
  const { cache, add, names } = await setUp(t);
  const held = await add('held');
  await add('loose');
  await writeFile(cache.partialPath(`sha256:${'e'.repeat(64)}`), 'half');
  const hold = cache.hold([held.digest]);
  assert.deepEqual(await cache.prune({ dryRun: true }), { freedBytes: 9, count: 2 });
  assert.equal((await names()).length, 2);
  assert.deepEqual(await cache.prune({ dryRun: false }), { freedBytes: 9, count: 2 });
  assert.deepEqual(await names(), [held.digest]);
  hold[Symbol.dispose]();
  assert.deepEqual(await cache.prune({ dryRun: false }), { freedBytes: 4, count: 1 });
});

test('pruning takes what was learnt of layers with them, and what is left of others', async (t) => {
  const { cache, add } = await setUp(t);
  const learn = async (digest: string) => {
    const path = cache.headersPath(digest, digestOf(Buffer.from('content')));
    await writeFile(path, '12345');
    return path;
  };
  const held = await add('held');
  const loose = await add('loose');
  const ofHeld = await learn(held.digest);
  const others = [await learn(loose.digest), await learn(digestOf(Buffer.from('removed as damaged')))];
  others.push(temporaryPathFor(others[1] as string));
  await writeFile(others[2] as string, '12345');
  using _ = cache.hold([held.digest]);
  assert.deepEqual(await cache.prune({ dryRun: true }), { freedBytes: 20, count: 1 });
  assert.deepEqual(await cache.prune({ dryRun: false }), { freedBytes: 20, count: 1 });
  assert.equal(await pathExists(ofHeld), true);
  for (const path of others) assert.equal(await pathExists(path), false);
});

test('a blob that two hold is kept until both let go', async (t) => {
  const { cache, add } = await setUp(t);
  const { digest } = await add('shared');
  const [first, second] = [cache.hold([digest, digest]), cache.hold([digest])];
  first[Symbol.dispose]();
  assert.equal((await cache.prune({ dryRun: false })).count, 0);
  second[Symbol.dispose]();
  assert.equal((await cache.prune({ dryRun: false })).count, 1);
});

test('nobody works on a blob while somebody else does', async (t) => {
  const { cache } = await setUp(t);
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(`${name} ends`);
    if (name === 'a') throw new Error('a fails');
  };
  const a = cache.alone('sha256:x', {}, work('a'));
  const b = cache.alone('sha256:x', {}, work('b'));
  const c = cache.alone('sha256:x', {}, work('c'));
  await assert.rejects(a, /a fails/);
  await Promise.all([b, c]);
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('waiting for another download ends with the signal', async (t) => {
  const { cache } = await setUp(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = cache.alone('sha256:x', {}, () => promise);
  const waiting = cache.alone('sha256:x', { signal: AbortSignal.abort(new Error('enough')) }, () => promise);
  await assert.rejects(waiting, /enough/);
  resolve();
  await first;
});
