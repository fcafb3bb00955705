import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import type { LayerFile } from '../descriptor.ts';
import {
  file,
  folder,
  hardLink,
  member,
  padded,
  symlink,
  tarOf,
  writeLayer,
} from '../../../test/support/layer-tar.ts';
import type { LayerLimits } from './layer-limits.ts';
import { mergeLayers } from './merge-layers.ts';
import { paxRecord } from './pax-records.ts';
import { checksumOf } from './tar-header.ts';

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-hostile-`);
});
after(() => rm(place, { recursive: true }));

let written = 0;
const nextPath = () => `${place}/${(written += 1)}.tar`;

interface Refusal {
  code: ErrorCode;
  message: RegExp;
  limits?: Partial<LayerLimits>;
}

/** Refused with a code, and nothing is made, here or anywhere a path could lead. */
async function refused(layers: LayerFile[], { code, message, limits = {} }: Refusal): Promise<void> {
  const before = [await readdir(place), await readdir(tmpdir())];
  await assert.rejects(mergeLayers(layers, { limits }), (error) => {
    assert.ok(isUserError(error, code), String(error));
    assert.match(error.message, message);
    assert.match(error.message, /^Cannot use the layer "sha256:d+"/);
    return true;
  });
  assert.deepEqual((await readdir(place)).length, before[0]?.length);
}

const INVALID = 'IMAGE_LAYER_INVALID';
const TOO_LARGE = 'IMAGE_TOO_LARGE';

function refuses(what: string, message: RegExp, ...layers: Buffer[][]): void {
  test(`refuses ${what}`, async () => {
    const files = await Promise.all(layers.map((members) => writeLayer(nextPath(), tarOf(...members))));
    await refused(files, { code: INVALID, message });
  });
}

const outside = symlink('etc', `${tmpdir()}/x`);
const long = (bytes: number) =>
  Array.from({ length: Math.ceil(bytes / 200) }, () => 'n'.repeat(199)).join('/');

refuses('..', /leaves the image/, [file('a/../../x')]);
refuses('.. at the end', /leaves the image/, [folder('a/..')]);
refuses('an absolute path', /is absolute/, [file('/etc/passwd')]);
refuses('no name', /without a name/, [file('')]);
refuses('writing through a symlink of an earlier layer', /a symlink/, [outside], [file('etc/passwd')]);
refuses('writing through a symlink of its own layer', /a symlink/, [outside, file('etc/passwd')]);
refuses('a whiteout through a symlink', /a symlink/, [outside], [file('etc/.wh.passwd', '')]);
refuses('an opaque mark through a symlink', /a symlink/, [outside], [file('etc/.wh..wh..opq', '')]);
refuses('a hard link through a symlink', /a symlink/, [outside], [hardLink('x', 'etc/passwd')]);
refuses('a hard link made below a symlink', /a symlink/, [outside, file('a')], [hardLink('etc/x', 'a')]);
refuses('a path through a file', /no folder/, [file('a'), file('a/b')]);
refuses('a hard link out', /leaves the image/, [hardLink('x', '../../etc/passwd')]);
refuses('a hard link to what only the host has', /not there/, [hardLink('x', '/etc/passwd')]);
refuses(
  'a hard link to what was taken away',
  /not there/,
  [file('a')],
  [file('.wh.a', ''), hardLink('x', 'a')],
);
refuses('a hard link to a folder', /a folder/, [folder('a'), hardLink('x', 'a')]);
refuses('a hard link to the root', /not there/, [hardLink('x', '.')]);
for (const name of ['.wh.', '.wh..', '.wh...'])
  refuses(`the whiteout ${name}`, /names nothing/, [file(`a/${name}`, '')]);
refuses('a whiteout as a folder', /goes through a whiteout/, [file('.wh.a/b')]);
refuses('a root that is no folder', /no folder/, [symlink('./', '/tmp')]);
refuses('a name with a line break', /line break/, [file('a\nb')]);
refuses('a name with a NUL', /NUL/, [file(`a\0b${'c'.repeat(100)}`)]);
refuses('a path of more than 4 KiB', /too long/, [file(long(4100))]);
refuses('a name that no file system takes', /255 bytes/, [file('n'.repeat(256))]);
refuses('a symlink without a target', /target/, [symlink('a', '')]);
refuses('a symlink with a target of more than 4 KiB', /target/, [symlink('a', long(4200))]);
refuses('a device that Linux cannot have', /device number/, [member({ name: 'd', type: '3', major: 5000 })]);
refuses('a sparse member as pax has it', /sparse/, [
  pax(paxRecord('GNU.sparse.realsize', '2199023255552')),
  file('a'),
]);
refuses('a sparse member as GNU tar has it', /sparse/, [raw('S', 'a')]);
refuses('an unknown type', /unknown type/, [raw('V', 'a')]);
refuses('a damaged pax record', /damaged pax/, [pax(Buffer.from('99 path=x\n'))]);
refuses('a pax size that is no number', /no number/, [pax(paxRecord('size', '-1')), file('a')]);
refuses('something after the end', /after its end/, [Buffer.alloc(1024), file('a')]);
refuses('one block of zeroes and then more', /after its end/, [Buffer.alloc(512), file('a')]);
refuses('a header with another checksum', /checksum/, [broken(file('a'))]);

function raw(type: string, name: string): Buffer {
  const block = file(name, '');
  block.write(type, 156);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function pax(payload: Buffer): Buffer {
  const block = raw('x', 'PaxHeader');
  block.write(payload.length.toString(8).padStart(11, '0'), 124);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, padded(payload)]);
}

function broken(bytes: Buffer): Buffer {
  bytes.write('b', 0);
  return bytes;
}

const tar = tarOf(file('a', 'a'.repeat(5000)), file('b'));
const damaged: [what: string, message: RegExp, compress: (bytes: Buffer) => Buffer][] = [
  ['cut-off gzip', /damaged or cut off/, (bytes) => gzipSync(bytes).subarray(0, -9)],
  ['gzip cut off in its header', /damaged or cut off/, (bytes) => gzipSync(bytes).subarray(0, 5)],
  ['damaged gzip', /damaged or cut off/, (bytes) => gzipSync(bytes).fill(7, 30, 40)],
  ['cut-off zstd', /damaged or cut off/, (bytes) => zstdCompressSync(bytes).subarray(0, -3)],
  ['damaged zstd', /damaged|no number/, (bytes) => zstdCompressSync(bytes).fill(7, 12, 20)],
  [
    'garbage after gzip',
    /something after|damaged/,
    (bytes) => Buffer.concat([gzipSync(bytes), Buffer.from('garbage')]),
  ],
  [
    'one byte after gzip',
    /something after|damaged/,
    (bytes) => Buffer.concat([gzipSync(bytes), Buffer.from('g')]),
  ],
  [
    'garbage after zstd',
    /something after|damaged/,
    (bytes) => Buffer.concat([zstdCompressSync(bytes), Buffer.from('garbage')]),
  ],
  ['a cut-off tar', /ends in the middle/, (bytes) => bytes.subarray(0, 3000)],
  ['a tar cut off in a header', /ends in the middle/, (bytes) => bytes.subarray(0, 300)],
  ['no tar at all', /checksum|no number/, () => Buffer.from('<html>'.repeat(100))],
  [
    'a tar that lacks its last member',
    /its content is/,
    (bytes) => Buffer.concat([bytes.subarray(0, 5632), Buffer.alloc(1024)]),
  ],
];

for (const [what, message, compress] of damaged) {
  test(`refuses ${what}`, async () => {
    await refused([await writeLayer(nextPath(), tar, { compress })], { code: INVALID, message });
  });
}

test('refuses content with another digest than the configuration says', async () => {
  const layer = await writeLayer(nextPath(), tar, { diffId: `sha256:${'0'.repeat(64)}` });
  await refused([layer], { code: INVALID, message: /its content is "sha256:[0-9a-f]{64}", not "sha256:0+"/ });
});

test('refuses a member of 2 TB at its header', async () => {
  const layer = await writeLayer(nextPath(), tarOf(member({ name: 'a', size: 2 ** 41 })));
  await refused([layer], { code: TOO_LARGE, message: /more than 64 GiB/ });
});

test('refuses an extended header of a gigabyte', async () => {
  const block = raw('x', 'PaxHeader');
  block.write('10000000000', 124);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  const layer = await writeLayer(nextPath(), tarOf(block));
  await refused([layer], { code: TOO_LARGE, message: /extended header of/ });
});

test('refuses more files than the limit, those that replace each other and implied folders counted', async () => {
  const limits = { maxEntries: 10 };
  const same = await writeLayer(nextPath(), tarOf(...Array.from({ length: 11 }, () => file('a'))));
  await refused([same], { code: TOO_LARGE, message: /more than 10 files/, limits });
  const deep = await writeLayer(nextPath(), tarOf(file('1/2/3/4/5/6/7/8/9/10/11')));
  await refused([deep], { code: TOO_LARGE, message: /more than 10 files/, limits });
});

test('refuses names and attributes that take too much memory', async () => {
  const attribute = { name: 'user.x', value: Buffer.alloc(2000) };
  const layer = await writeLayer(nextPath(), tarOf(file('a', '', { xattrs: [attribute] })));
  await refused([layer], {
    code: TOO_LARGE,
    message: /names and attributes/,
    limits: { maxMetadataBytes: 1000 },
  });
});

for (const [name, compress] of Object.entries({ gzipSync, zstdCompressSync })) {
  test(`refuses a bomb of ${name}`, async () => {
    const bomb = tarOf(file('zeroes', '\0'.repeat(8_000_000)));
    const layer = await writeLayer(nextPath(), bomb, { compress });
    const limits = { ratioFreeBytes: 1_000_000 };
    await refused([layer], { code: TOO_LARGE, message: /which no software does/, limits });
  });
}

test('counts the bytes of all layers together', async () => {
  const one = () => writeLayer(nextPath(), tarOf(file('a', 'a'.repeat(3000))));
  await refused([await one(), await one()], {
    code: TOO_LARGE,
    message: /hold more than/,
    limits: { maxBytes: 6000 },
  });
});

test('notices when a layer is no more what it was', async () => {
  const layer = await writeLayer(nextPath(), tar);
  const merged = await mergeLayers([layer]);
  await truncate(layer.path, 2000);
  await assert.rejects(merged.open().toArray(), (error) => isUserError(error, INVALID));
});
