import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import type { PulledImage } from '#oci/pull-image.ts';
import { hostArchitecture } from '#oci/platform.ts';
import { push, skip, startRegistry } from './debian-registry.ts';
import { makePullPlace } from './pull-place.ts';
import { ScriptedRegistry } from './scripted-registry.ts';
import { makeImage, makeIndex, sha256, type TinyImage } from './tiny-image.ts';

async function assertPulled(pulled: PulledImage, image: TinyImage): Promise<void> {
  assert.deepEqual(pulled.config.diffIds, image.diffIds);
  assert.deepEqual(pulled.config.cmd, ['/bin/sh']);
  assert.deepEqual(
    pulled.layers.map(({ digest, diffId }) => [digest, diffId]),
    image.layerDigests.map((digest, index) => [digest, image.diffIds[index]]),
  );
  for (const { path, digest } of pulled.layers) assert.equal(sha256(await readFile(path)), digest);
}

async function setUp(t: TestContext) {
  return { registry: await startRegistry(t), ...(await makePullPlace(t)) };
}

describe('pulling from Debian’s docker-registry', { skip, timeout: 120_000 }, () => {
  for (const compression of ['gzip', 'zstd'] as const) {
    it(`brings OCI images with ${compression} layers`, async (t) => {
      const { registry, pull } = await setUp(t);
      const image = makeImage(['first layer', 'second layer', 'first layer'], { compression });
      await push([image], `${registry}/some/app:1.0`);
      using pulled = await pull(`${registry}/some/app:1.0`);
      assert.equal(pulled.reference, `${registry}/some/app:1.0`);
      assert.equal(pulled.manifestDigest, image.manifestDigest);
      assert.match(pulled.layers[0]?.mediaType ?? '', new RegExp(`${compression}$`));
      await assertPulled(pulled, image);
    });
  }

  it('brings images with a manifest of Docker’s schema 2', async (t) => {
    const { registry, pull } = await setUp(t);
    const image = makeImage(['one', 'two']);
    await push([image], `${registry}/app`, { format: 'v2s2' });
    using pulled = await pull(`${registry}/app`);
    assert.equal(pulled.layers[0]?.mediaType, 'application/vnd.docker.image.rootfs.diff.tar.gzip');
    await assertPulled(pulled, image);
  });

  it('chooses from an index what runs here, by tag and by digest', async (t) => {
    const { registry, pull } = await setUp(t);
    const own = makeImage(['mine']);
    const foreign = makeImage(['not mine'], { architecture: 's390x' });
    await push([foreign, own], `${registry}/multi`);
    using pulled = await pull(`${registry}/multi`);
    assert.equal(pulled.config.architecture, hostArchitecture());
    assert.equal(pulled.manifestDigest, own.manifestDigest);
    using pinned = await pull(`${registry}/multi@${own.manifestDigest}`);
    assert.deepEqual(pinned.layers, pulled.layers);
    using other = await pull(`${registry}/multi`, { architecture: 's390x' });
    await assertPulled(other, foreign);
    await assert.rejects(pull(`${registry}/multi`, { architecture: 'riscv64' }), (error) =>
      isUserError(error, 'IMAGE_PLATFORM_MISSING'),
    );
    await assert.rejects(pull(`${registry}/multi@${foreign.manifestDigest}`), (error) =>
      isUserError(error, 'IMAGE_PLATFORM_MISSING'),
    );
  });

  it('looks into the image that an index does not say the platform of', async (t) => {
    const own = makeImage(['mine']);
    const foreign = makeImage(['not mine'], { architecture: 's390x' });
    const registry = await ScriptedRegistry.start(t, own);
    const { pull } = await makePullPlace(t);
    registry.blobs.set('latest', makeIndex([own], { namesPlatforms: false }));
    using pulled = await pull(`${registry.host}/app`);
    await assertPulled(pulled, own);
    for (const [digest, bytes] of foreign.blobs) registry.blobs.set(digest, bytes);
    registry.blobs.set('latest', makeIndex([foreign], { namesPlatforms: false }));
    await assert.rejects(pull(`${registry.host}/app`), (error) =>
      isUserError(error, 'IMAGE_PLATFORM_MISSING'),
    );
  });

  it('says what is not there', async (t) => {
    const { registry, pull } = await setUp(t);
    await push([makeImage(['x'])], `${registry}/app:1`);
    const isMissing = (error: unknown) =>
      isUserError(error, 'IMAGE_NOT_FOUND') && error.message.includes('404');
    await assert.rejects(pull(`${registry}/app:2`), isMissing);
    await assert.rejects(pull(`${registry}/other`), isMissing);
    await assert.rejects(pull(`${registry}/app@sha256:${'0'.repeat(64)}`), isMissing);
  });

  it('downloads what images share once, and what is damaged in the cache again', async (t) => {
    const { registry, pull, cache } = await setUp(t);
    const [shared, first, second] = ['shared layer', 'of the first', 'of the second'];
    await push([makeImage([shared, first])], `${registry}/first`);
    const image = makeImage([shared, second]);
    await push([image], `${registry}/second`);
    (await pull(`${registry}/first`))[Symbol.dispose]();
    const sharedPath = cache.blobPath(image.layerDigests[0] ?? '');
    await writeFile(sharedPath, 'damaged');
    await Promise.all([pull(`${registry}/second`), pull(`${registry}/first`), pull(`${registry}/second`)]);
    using pulled = await pull(`${registry}/second`);
    await assertPulled(pulled, image);
    assert.equal((await cache.prune({ dryRun: true })).count, 0, 'all of it is held');
  });

  it('reports bytes up to the size of all layers', async (t) => {
    const { registry, pull } = await setUp(t);
    const image = makeImage(['one', 'two', 'two']);
    await push([image], `${registry}/app`);
    const reported: number[][] = [];
    const report = {
      detail: () => {},
      progress: (done: number, total = 0) => reported.push([done, total]),
    };
    (await pull(`${registry}/app`, { report }))[Symbol.dispose]();
    const bytes = (image.layers[0]?.length ?? 0) + (image.layers[1]?.length ?? 0);
    assert.deepEqual(reported.at(-1), [bytes, bytes]);
  });

  it('takes a mirror first, and the registry where the mirror lacks the image or is down', async (t) => {
    const { registry, pull } = await setUp(t);
    const mirror = await startRegistry(t);
    const [original, mirrored] = [makeImage(['original']), makeImage(['mirrored'])];
    await push([original], `${registry}/app`);
    await push([original], `${registry}/other`);
    await push([mirrored], `${mirror}/hub/app`);
    const mirrors = { [registry]: ['http://127.0.0.1:1', `http://${mirror}/hub`] };
    using fromMirror = await pull(`${registry}/app`, { mirrors });
    await assertPulled(fromMirror, mirrored);
    using fromRegistry = await pull(`${registry}/other`, { mirrors });
    await assertPulled(fromRegistry, original);
  });
});
