import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isUserError } from '#contract/errors.ts';
import type { LayerFile } from '../descriptor.ts';
import {
  file,
  folder,
  readMerged,
  symlink,
  tarOf,
  writeLayer,
  type LayerOptions,
} from '../../../test/support/layer-tar.ts';
import { keepHeaders } from './layer-headers.ts';
import { LAYER_LIMITS } from './layer-limits.ts';
import { mergeLayers } from './merge-layers.ts';

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-headers-`);
});
after(() => rm(place, { recursive: true }));

const TAR = tarOf(
  folder('a'),
  file('a/file', 'x'.repeat(100_000)),
  file(`a/${'n'.repeat(200)}`, 'long'),
  symlink('link', 'a/file'),
);
let written = 0;
const reading = () => ({ limits: LAYER_LIMITS, spent: { bytes: 0 } });

async function layer(options?: LayerOptions): Promise<LayerFile & { headersPath: string }> {
  const path = `${place}/${(written += 1)}`;
  return { ...(await writeLayer(path, TAR, options)), headersPath: `${path}.headers` };
}

const isInvalid = (error: unknown) => isUserError(error, 'IMAGE_LAYER_INVALID');

test('the headers of a layer are as good as all of it, and much smaller', async () => {
  const known = await layer();
  const plain = await readMerged(await mergeLayers([known]));
  assert.equal(await keepHeaders(known, reading()), true);
  assert.equal(await keepHeaders(known, reading()), false, 'they are there');
  assert.ok((await readFile(known.headersPath)).length < 1000);
  assert.deepEqual(await readMerged(await mergeLayers([known])), plain);
});

test('headers that were cut off or damaged are not those of a smaller layer', async () => {
  const known = await layer();
  await keepHeaders(known, reading());
  const whole = await readFile(known.headersPath);
  const cut = [whole.subarray(0, -5), Buffer.alloc(0), Buffer.alloc(whole.length)];
  for (const damaged of [...cut, Buffer.concat([whole.subarray(0, -1), Buffer.from('x')])]) {
    await writeFile(known.headersPath, damaged);
    await assert.rejects(mergeLayers([known]), isInvalid);
  }
});

test('a layer with another content than promised leaves no headers', async () => {
  const known = await layer({ diffId: `sha256:${'0'.repeat(64)}` });
  await assert.rejects(keepHeaders(known, reading()), isInvalid);
  assert.ok(!(await readdir(place)).some((name) => name.startsWith(`${written}.headers`)));
});

test('what the disk does not take is what it fails with', async () => {
  const known = { ...(await layer()), headersPath: `${place}/missing/headers` };
  await assert.rejects(keepHeaders(known, reading()), { code: 'ENOENT' });
});

for (const [kind, compress] of [
  ['plain', (tar: Buffer) => tar],
  ['gzip', gzipSync],
] as const) {
  test(`a ${kind} layer that is another one by now is found out when its contents are read`, async () => {
    const known = await layer({ compress });
    await keepHeaders(known, reading());
    const merged = await mergeLayers([known]);
    const bytes = await readFile(known.path);
    const at = kind === 'plain' ? 5000 : Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(known.path, bytes);
    const reads = merged.tree.contents.map((read) => read(() => {}, {}));
    await assert.rejects(Promise.all(reads), isInvalid);
  });
}
