import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, open, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { LogFields } from '#base/log.ts';
import { KiB, MiB } from '#base/sizes.ts';
import { makeRootDisk } from '#daemon/image/root-disk.ts';
import { Ext4Reader, ROOT_INODE } from '#ext4/reader/ext4-reader.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { keepHeaders } from '#oci/layers/layer-headers.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { file, folder, hardLink, tarOf, writeLayer } from '../../support/layer-tar.ts';
import { run } from './ext4-entry.ts';

const IDS = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(12));
const noise = (length: number, seed: number) =>
  Buffer.from(Array.from({ length }, (_, at) => (at * seed + (at >> 8)) % 253));
/** Nothing in it comes twice. */
const LARGE = randomBytes(2.5 * MiB);
const BASE = tarOf(
  folder('srv'),
  file('srv/large', LARGE),
  file('srv/empty', ''),
  file('srv/zeroes', Buffer.alloc(1.5 * MiB)),
  ...Array.from({ length: 300 }, (_, index) => file(`srv/${index}`, noise(index * 17, index + 1))),
);

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-shared-`);
});
after(() => rm(place, { recursive: true }));
beforeEach(async () => {
  for (const name of await readdir(place)) await rm(`${place}/${name}`, { recursive: true });
});

/** As the cache has it: with its headers, so that its content is read only for the image. */
async function layerOf(name: string, tar: Buffer): Promise<LayerFile> {
  const path = `${place}/${name}`;
  const layer = { ...(await writeLayer(path, tar, { compress: (one) => gzipSync(one, { level: 1 }) })) };
  const known = { ...layer, headersPath: `${path}.headers` };
  await keepHeaders(known, { limits: LAYER_LIMITS, spent: { bytes: 0 } });
  return known;
}

/** An image of these layers; what it reports, and its files. */
async function make(id: string, layers: readonly LayerFile[]) {
  const imageFolder = `${place}/images/${id}`;
  await mkdir(imageFolder, { recursive: true });
  const details: string[] = [];
  const report = { detail: (text: string) => details.push(text) };
  const warnings: unknown[] = [];
  const log = { warn: ({ image }: LogFields) => void warnings.push(image) };
  await makeRootDisk({ root: { layers }, folder: imageFolder, sizeBytes: 64 * MiB }, { report, log });
  const disk = `${imageFolder}/rootfs.ext4`;
  await run('e2fsck', ['-fn', disk]);
  return { disk, details, warnings, files: await hashesOf(disk) };
}

/** Without it, nothing can be unpacked from it. */
const empty = ({ path }: LayerFile) => truncate(path);

async function overwrite(path: string, find: Buffer): Promise<void> {
  await chmod(path, 0o600);
  const file = await open(path, 'r+');
  const at = (await file.readFile()).indexOf(find);
  assert.ok(at > 0);
  await file.write(Buffer.from('x'), 0, 1, at);
  await file.close();
}

test('what another image has is copied, and what is copied can be copied again', async () => {
  const base = await layerOf('base', BASE);
  const first = await make(IDS[0]!, [base]);
  await empty(base);
  const upper = await layerOf('upper', tarOf(file('srv/own', 'own'), hardLink('srv/link', 'srv/7')));
  const second = await make(IDS[1]!, [base, upper]);
  assert.deepEqual(
    second.files,
    new Map([...first.files, ['/srv/own', hashOf('own')], ['/srv/link', first.files.get('/srv/7')]]),
  );
  await rm(`${place}/images/${IDS[0]}`, { recursive: true });
  const third = await make(IDS[2]!, [base]);
  assert.deepEqual(third.files, first.files);
  assert.deepEqual([...second.details, ...third.details], []);
});

test('an image that hid a part of the layer is none to copy from', async () => {
  const base = await layerOf('base', BASE);
  await make(IDS[0]!, [base, await layerOf('upper', tarOf(file('srv/.wh.7', '')))]);
  const whole = await make(IDS[1]!, [base]);
  assert.equal(whole.files.get('/srv/7'), hashOf(noise(7 * 17, 8)));
  await empty(base);
  assert.deepEqual((await make(IDS[2]!, [base])).files, whole.files, 'the other one has all of it');
});

test('a damaged image is not copied from: the layer is unpacked, and the user told', async () => {
  const base = await layerOf('base', BASE);
  const first = await make(IDS[0]!, [base]);
  await overwrite(first.disk, LARGE.subarray(2 * MiB, 2 * MiB + 64));
  const second = await make(IDS[1]!, [base]);
  assert.deepEqual(second.files, first.files);
  assert.deepEqual(second.details, [`the image ${IDS[0]} is damaged: nothing is copied from it`]);
  assert.deepEqual(second.warnings, [IDS[0]]);
  await empty(base);
  assert.deepEqual((await make(IDS[2]!, [base])).files, first.files, 'the second one is whole');
});

test('what a damaged image gave before that is not noted twice', async () => {
  const tar = tarOf(file('a', noise(1000, 3)), file('b', LARGE), file('h', noise(1000, 5)));
  const base = await layerOf('base', tar);
  const [first] = [await make(IDS[0]!, [base]), await make(IDS[1]!, [base])];
  await overwrite(first.disk, LARGE.subarray(2 * MiB, 2 * MiB + 64));
  const without = await make(IDS[2]!, [base, await layerOf('upper', tarOf(file('.wh.h', '')))]);
  assert.equal(without.files.size, 2);
  for (const id of [IDS[0], IDS[1]]) await rm(`${place}/images/${id}`, { recursive: true });
  assert.deepEqual(
    (await make(IDS[1]!, [base])).files,
    first.files,
    'h is not there, and is not taken for there',
  );
});

test('an image that cannot be looked at keeps no other one from being made', async () => {
  const base = await layerOf('base', BASE);
  const { files } = await make(IDS[0]!, [base]);
  const [index] = await readdir(`${place}/images/${IDS[0]}/layers`);
  const [isFile, isFolder, isLoop] = ['1', '2', '3'].map((digit) => `${place}/images/${digit.repeat(12)}`);
  await writeFile(isFile!, '');
  for (const folder of [isFolder!, isLoop!]) await mkdir(`${folder}/layers`, { recursive: true });
  await mkdir(`${isFolder}/layers/${index}`);
  await writeFile(`${isFolder}/rootfs.ext4`, '');
  await writeFile(`${isLoop}/layers/${index}`, '');
  await symlink('rootfs.ext4', `${isLoop}/rootfs.ext4`);
  const second = await make(IDS[1]!, [base]);
  assert.deepEqual(second.files, files);
  assert.ok(second.warnings.includes('1'.repeat(12)));
  assert.ok(second.warnings.every((id) => /^([123])\1*$/.test(String(id))));
});

test('nor is one whose disk is too short, or gone, or whose notes were cut off', async () => {
  const base = await layerOf('base', BASE);
  const { disk, files } = await make(IDS[0]!, [base]);
  const [index] = await readdir(`${place}/images/${IDS[0]}/layers`);
  await chmod(disk, 0o600);
  await truncate(disk, 200 * KiB);
  const second = await make(IDS[1]!, [base]);
  assert.deepEqual(second.files, files);
  assert.match(second.details.join(), /is damaged/);
  await rm(`${place}/images/${IDS[1]}`, { recursive: true });
  await rm(disk);
  assert.deepEqual((await make(IDS[1]!, [base])).files, files);
  await truncate(`${place}/images/${IDS[1]}/layers/${index}`, 1000);
  const third = await make(IDS[2]!, [base]);
  assert.deepEqual([third.files, third.details], [files, []]);
});

test('a layer that an image has twice', async () => {
  const base = await layerOf('base', tarOf(file('one', 'one'), file('two', LARGE)));
  const link = await layerOf('link', tarOf(hardLink('kept', 'one')));
  const layers = [base, link, base];
  const first = await make(IDS[0]!, layers);
  await make(IDS[2]!, [base]);
  await empty(base);
  assert.deepEqual([...first.files.keys()].toSorted(), ['/kept', '/one', '/two']);
  assert.deepEqual((await make(IDS[1]!, layers)).files, first.files);
});

test('folders beside it that are no images mean nothing', async () => {
  const base = await layerOf('base', BASE);
  const { files } = await make(`.${IDS[0]}.partial`, [base]);
  await writeFile(`${place}/images/note`, '');
  await empty(base);
  await assert.rejects(make(IDS[1]!, [base]), { code: 'IMAGE_LAYER_INVALID' });
  await rm(`${place}/base.headers`);
  assert.deepEqual((await make(IDS[2]!, [await layerOf('base', BASE)])).files, files);
});

/** Of the content of each file, under each of its names. */
async function hashesOf(disk: string): Promise<Map<string, string>> {
  await using reader = await Ext4Reader.open(disk);
  const hashes = new Map<string, string>();
  const walk = async (name: string, number: number): Promise<void> => {
    const inode = await reader.inode(number);
    if (inode.kind !== 'directory')
      hashes.set(name, hashOf(Buffer.concat(await Array.fromAsync(reader.content(inode)))));
    else for (const child of await reader.folder(inode)) await walk(`${name}/${child.name}`, child.inode);
  };
  await walk('', ROOT_INODE);
  return hashes;
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
