import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { mergeLayers, type MergedTar } from '#oci/layers/merge-layers.ts';
import { file, tarOf, writeLayer } from '../../support/layer-tar.ts';
import { isRoot, NEEDS_ROOT } from '../../support/small-file-system.ts';
import { TarReadingMke2fs } from '../../support/tar-reading-mke2fs.ts';

let place: string;
let tarReading: TarReadingMke2fs | undefined;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-stream-`);
  if (isRoot()) tarReading = await TarReadingMke2fs.fetch(place);
});
after(() => rm(place, { recursive: true }));

for (const method of ['tar', 'fakeroot'] as const) {
  const skip = method === 'tar' && !isRoot() ? NEEDS_ROOT : false;
  describe(`a merged tar that cannot be taken whole, by the method "${method}"`, { skip }, () => {
    async function make(tarStream: MergedTar, sizeBytes = 512 * MiB): Promise<void> {
      const workFolder = await mkdtemp(`${place}/work-`);
      await mkdir(`${workFolder}/out`);
      const spec = { path: `${workFolder}/out/x.ext4`, label: 'test', journalMiB: 4, sizeBytes };
      using _ = method === 'tar' ? tarReading?.use() : undefined;
      try {
        await makeFilesystem({ ...spec, source: { tarStream }, workFolder }, { method });
      } finally {
        assert.deepEqual(await readdir(`${workFolder}/out`), [], 'nothing that looks finished is left');
      }
    }

    test('a layer that changes while its files are read is what the failure says', async () => {
      const tar = tarOf(file('a', 'a'.repeat(5_000_000)), file('b'));
      const layer = await writeLayer(`${place}/${method}-layer`, tar);
      const merged = await mergeLayers([layer]);
      await truncate(layer.path, 3_000_000);
      await assert.rejects(make(merged), (error) => isUserError(error, 'IMAGE_LAYER_INVALID'));
    });

    test('content that does not fit ends the reading of the layers', async () => {
      const tar = tarOf(file('a', 'a'.repeat(20_000_000)), file('b'));
      const layer = await writeLayer(`${place}/${method}-large`, tar);
      await assert.rejects(make(await mergeLayers([layer]), 16 * MiB), (error) =>
        isUserError(error, 'DISK_TOO_SMALL'),
      );
    });
  });
}
