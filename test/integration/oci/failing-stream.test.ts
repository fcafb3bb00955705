import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { mergeLayers, type MergedTar } from '#oci/layers/merge-layers.ts';
import { file, tarOf, writeLayer } from '../../support/layer-tar.ts';

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-stream-`);
});
after(() => rm(place, { recursive: true }));

async function make(tarStream: MergedTar, sizeBytes = 512 * MiB): Promise<void> {
  const workFolder = await mkdtemp(`${place}/work-`);
  await mkdir(`${workFolder}/out`);
  const spec = { path: `${workFolder}/out/x.ext4`, label: 'test', journalMiB: 4, sizeBytes };
  try {
    await makeFilesystem({ ...spec, source: { tarStream }, workFolder }, { method: 'fakeroot' });
  } finally {
    assert.deepEqual(await readdir(`${workFolder}/out`), [], 'nothing that looks finished is left');
  }
}

test('a layer that changes while its files are read is what the failure says', async () => {
  const layer = await writeLayer(`${place}/layer`, tarOf(file('a', 'a'.repeat(5_000_000)), file('b')));
  const merged = await mergeLayers([layer]);
  await truncate(layer.path, 3_000_000);
  await assert.rejects(make(merged), (error) => isUserError(error, 'IMAGE_LAYER_INVALID'));
});

test('content that does not fit ends the reading of the layers', async () => {
  const layer = await writeLayer(`${place}/large`, tarOf(file('a', 'a'.repeat(20_000_000)), file('b')));
  await assert.rejects(make(await mergeLayers([layer]), 16 * MiB), (error) =>
    isUserError(error, 'DISK_TOO_SMALL'),
  );
});
