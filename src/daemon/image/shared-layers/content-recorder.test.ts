import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { KiB, MiB } from '#base/sizes.ts';
import type { Inode } from '#oci/layers/merge-tree.ts';
import { ContentIndex, type ContentRun } from './content-index.ts';
import { ContentRecorder } from './content-recorder.ts';

const INODE: Inode = {
  ...{ kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, xattrs: [], size: 4 * MiB },
  ...{ layer: 0, index: 0, target: '', major: 0, minor: 0 },
};
const CONTENT = Buffer.from(Array.from({ length: 3 * MiB }, (_, at) => (at * 7 + (at >> 9)) % 251));
const inodeOf = (layer: number, index: number): Inode => ({ ...INODE, layer, index });

async function saved(t: TestContext, recorder: ContentRecorder, diffIds: string[]) {
  const folder = await mkdtemp(`${tmpdir()}/banger-recorder-`);
  t.after(() => rm(folder, { recursive: true }));
  await recorder.save(folder, diffIds);
  const runs = new Map<string, ContentRun[]>();
  for (const name of await readdir(`${folder}/layers`)) {
    const index = ContentIndex.parse(await readFile(`${folder}/layers/${name}`));
    assert.ok(index);
    runs.set(
      name,
      Array.from({ length: index.length }, (_, row) => index.run(row)),
    );
  }
  return runs;
}

function record(recorder: ContentRecorder, inode: Inode, { position = 0, pieces = [CONTENT.length] } = {}) {
  let offset = 0;
  for (const length of pieces) {
    const piece = CONTENT.subarray(offset, offset + length);
    recorder.record({ inode, offset, position: position + offset, piece });
    offset += length;
  }
}

test('pieces of any size become runs of at most a MiB', async (t) => {
  const recorder = new ContentRecorder();
  record(recorder, inodeOf(0, 5), { position: 8 * MiB, pieces: [1000, 1, MiB, 1.5 * MiB, 3 * KiB] });
  const [runs] = (await saved(t, recorder, ['sha256:aa'])).values();
  const total = 1001 + MiB + 1.5 * MiB + 3 * KiB;
  const lengths = [MiB, MiB, total - 2 * MiB];
  const expected = lengths.map((length, number) => {
    const offset = number * MiB;
    const checksum = crc32(CONTENT.subarray(offset, offset + length));
    return { member: 5, offset, position: 8 * MiB + offset, length, crc32: checksum };
  });
  assert.deepEqual(runs, expected);
});

test('a file that lies in two places, and layers that are written at the same time', async (t) => {
  const recorder = new ContentRecorder();
  const piece = CONTENT.subarray(0, 4 * KiB);
  const put = (layer: number, offset: number, position: number) =>
    recorder.record({ inode: inodeOf(layer, 1), offset, position, piece });
  put(0, 0, 0);
  put(1, 0, 100 * KiB);
  put(0, 4 * KiB, 4 * KiB);
  put(1, 4 * KiB, 200 * KiB);
  const runs = await saved(t, recorder, ['sha256:aa', 'sha256:bb', 'sha256:cc']);
  const places = (name: string) =>
    runs.get(name)?.map(({ position, length }) => [position / KiB, length / KiB]);
  assert.deepEqual(places('aa'), [[0, 8]]);
  assert.deepEqual(places('bb'), [
    [100, 4],
    [200, 4],
  ]);
  assert.equal(runs.size, 2);
});

test('what is forgotten is recorded anew; of a layer that is there twice the one counts that has more', async (t) => {
  const recorder = new ContentRecorder();
  record(recorder, inodeOf(0, 1));
  recorder.forget(0);
  record(recorder, inodeOf(0, 2), { pieces: [10] });
  record(recorder, inodeOf(1, 3), { pieces: [11] });
  record(recorder, inodeOf(2, 4), { pieces: [9] });
  const runs = await saved(t, recorder, ['sha256:aa', 'sha256:aa', 'sha256:aa']);
  assert.deepEqual(
    [...runs].map(([name, [run]]) => [name, run?.member]),
    [['aa', 3]],
  );
});
