import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { GiB, MiB } from '#base/sizes.ts';
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
import { MAX_ATTRIBUTES, MAX_EXTENSION_BYTES, type LayerLimits } from './layer-limits.ts';
import { mergeLayers } from './merge-layers.ts';
import { paxRecord } from './pax-records.ts';
import { checksumOf } from './tar-header.ts';

// Where a layer could lead is all in here: the current folder, the one for temporary files, and what must not be touched.
const place = await mkdtemp(`${tmpdir()}/banger-hostile-`);
const planted = `${place}/outside/passwd`;
for (const name of ['layers', 'outside', 'here', 'temporary']) await mkdir(`${place}/${name}`);
await writeFile(planted, 'not to be touched');
process.chdir(`${place}/here`);
// oxlint-disable-next-line node/no-process-env -- os.tmpdir() reads it there
process.env['TMPDIR'] = `${place}/temporary`;
after(() => rm(place, { recursive: true }));

let written = 0;
const nextPath = () => `${place}/layers/${(written += 1)}.tar`;

/** Every file with what changes when somebody writes to it, or links it. */
async function listing(): Promise<string[]> {
  const names = await readdir(place, { recursive: true });
  const lines = names.map(async (name) => {
    const { ino, size, nlink, ctimeMs } = await lstat(`${place}/${name}`);
    return [name, ino, size, nlink, ctimeMs].join(' ');
  });
  return (await Promise.all(lines)).toSorted();
}

interface Refusal {
  code: ErrorCode;
  message: RegExp;
  limits?: Partial<LayerLimits>;
}

/** Refused with a code, and nothing is made or changed, here or where a path could lead. */
async function refused(layers: LayerFile[], { code, message, limits = {} }: Refusal): Promise<void> {
  const before = await listing();
  await assert.rejects(mergeLayers(layers, { limits }), (error) => {
    assert.ok(isUserError(error, code), String(error));
    assert.match(error.message, message);
    assert.match(error.message, /^Cannot use the layer "sha256:d+"/);
    return true;
  });
  assert.deepEqual(await listing(), before);
}

const INVALID = 'IMAGE_LAYER_INVALID';
const TOO_LARGE = 'IMAGE_TOO_LARGE';

function refuses(what: string, message: RegExp, ...layers: Buffer[][]): void {
  test(`refuses ${what}`, async () => {
    const files = await Promise.all(layers.map((members) => writeLayer(nextPath(), tarOf(...members))));
    await refused(files, { code: INVALID, message });
  });
}

const outside = symlink('etc', `${place}/outside`);
const long = (bytes: number) =>
  Array.from({ length: Math.ceil(bytes / 200) }, () => 'n'.repeat(199)).join('/');

refuses('..', /leaves the image/, [file('a/../../outside/passwd')]);
refuses('.. at the end', /leaves the image/, [folder('a/..')]);
refuses('an absolute path', /is absolute/, [file(planted)]);
refuses('no name', /without a name/, [file('')]);
refuses('writing through a symlink of an earlier layer', /a symlink/, [outside], [file('etc/passwd')]);
refuses('writing through a symlink of its own layer', /a symlink/, [outside, file('etc/passwd')]);
refuses('a whiteout through a symlink', /a symlink/, [outside], [file('etc/.wh.passwd', '')]);
refuses('an opaque mark through a symlink', /a symlink/, [outside], [file('etc/.wh..wh..opq', '')]);
refuses('a hard link through a symlink', /a symlink/, [outside], [hardLink('x', 'etc/passwd')]);
refuses('a hard link made below a symlink', /a symlink/, [outside, file('a')], [hardLink('etc/x', 'a')]);
refuses('a path through a file', /no folder/, [file('a'), file('a/b')]);
refuses('a hard link out', /leaves the image/, [hardLink('x', '../outside/passwd')]);
refuses('a hard link to what only the host has', /not there/, [hardLink('x', planted)]);
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

test('the listing that shows that nothing happened does show what happens', async () => {
  const before = await listing();
  await writeFile(planted, 'not to be touched');
  assert.notDeepEqual(await listing(), before);
});

function raw(type: string, name: string): Buffer {
  const block = file(name, '');
  block.write(type, 156);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function pax(payload: Buffer, type = 'x'): Buffer {
  const block = raw(type, 'PaxHeader');
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
  await refused([layer], { code: TOO_LARGE, message: /extended headers of more than 1 MiB/ });
});

const attribute = (name: string, value: string | Buffer = '') =>
  paxRecord(`SCHILY.xattr.user.${name}`, value);
const attributes = (count: number, prefix = '') =>
  pax(Buffer.concat(Array.from({ length: count }, (_, index) => attribute(`${prefix}${index}`))));
const third = Buffer.alloc(Math.floor(MAX_EXTENSION_BYTES / 3), 'n');

const extensions: [what: string, message: RegExp, members: Buffer[]][] = [
  [
    'attributes without a member',
    /extended headers of more than 1 MiB/,
    Array.from({ length: 300 }, (_, index) => pax(attribute(`a${index}`, Buffer.alloc(MiB - 100)))),
  ],
  [
    'extended headers of all kinds that are too long together',
    /extended headers of more than 1 MiB/,
    [pax(attribute('a', third)), pax(third, 'L'), pax(third, 'K'), file('a')],
  ],
  [
    'headers for the whole tar without an end',
    /extended headers of more than 1 MiB/,
    Array.from({ length: 4 }, () => pax(third, 'g')),
  ],
  ...[...'xgLK'].map((type): [string, RegExp, Buffer[]] => [
    `empty extended headers (${type}) without an end`,
    /more than 16 extended headers/,
    Array.from({ length: 17 }, () => pax(Buffer.alloc(0), type)),
  ]),
  ['35,000 attributes of one file', /more than 256 attributes/, [attributes(35_000), file('a')]],
  [
    'too many attributes in several headers',
    /more than 256 attributes/,
    [attributes(200, 'a'), attributes(57, 'b'), file('a')],
  ],
];

for (const [what, message, members] of extensions) {
  test(`refuses ${what}`, { timeout: 5000 }, async () => {
    await refused([await writeLayer(nextPath(), tarOf(...members))], { code: TOO_LARGE, message });
  });
}

test('takes as many attributes as the limit, the last word on each', async () => {
  const members = [attributes(MAX_ATTRIBUTES), pax(attribute('0', 'new')), file('a'), file('b')];
  const merged = await mergeLayers([await writeLayer(nextPath(), tarOf(...members))]);
  const found = [...merged.attributes()];
  assert.equal(found.length, MAX_ATTRIBUTES);
  assert.deepEqual(found[0], { path: 'a', name: 'user.0', value: Buffer.from('new') });
});

test('each member may have its own extended headers', async () => {
  const members = Array.from({ length: 10 }, (_, index) => [
    ...Array.from({ length: 15 }, () => pax(Buffer.alloc(0), 'g')),
    pax(attribute('a', third)),
    file(`${index}`),
  ]).flat();
  const merged = await mergeLayers([await writeLayer(nextPath(), tarOf(...members))]);
  assert.equal([...merged.attributes()].length, 10);
});

// A pattern that looks for NULs at the end takes 20 s for these, and half an hour for a million.
test('refuses a long name of a hundred thousand NULs at once', { timeout: 5000 }, async () => {
  const name = Buffer.concat([Buffer.alloc(2 ** 17), Buffer.from('x')]);
  const layer = await writeLayer(nextPath(), tarOf(pax(name, 'L'), file('a')));
  await refused([layer], { code: INVALID, message: /is too long/ });
});

test('refuses an extended header of a negative size', async () => {
  const block = raw('x', 'PaxHeader');
  block.fill(0xff, 124, 136);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  const layer = await writeLayer(nextPath(), tarOf(block, file('a')));
  await refused([layer], { code: INVALID, message: /negative size/ });
});

test('refuses many small attributes, which take more memory than their bytes', async () => {
  const members = Array.from({ length: 10 }, (_, index) => [attributes(100), file(`${index}`)]).flat();
  const layer = await writeLayer(nextPath(), tarOf(...members));
  const limits = { maxMetadataBytes: 100_000 };
  await refused([layer], { code: TOO_LARGE, message: /names and attributes/, limits });
});

test('refuses more files than the limit, those that replace each other and implied folders counted', async () => {
  const limits = { maxEntries: 10 };
  const same = await writeLayer(nextPath(), tarOf(...Array.from({ length: 11 }, () => file('a'))));
  await refused([same], { code: TOO_LARGE, message: /more than 10 files/, limits });
  const deep = await writeLayer(nextPath(), tarOf(file('1/2/3/4/5/6/7/8/9/10/11')));
  await refused([deep], { code: TOO_LARGE, message: /more than 10 files/, limits });
});

test('refuses names and attributes that take too much memory', async () => {
  const large = { name: 'user.x', value: Buffer.alloc(2000) };
  const layer = await writeLayer(nextPath(), tarOf(file('a', '', { xattrs: [large] })));
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

/** A layer of many equal parts, each packed once. */
async function repeated(begin: Buffer, part: Buffer, times: number): Promise<LayerFile> {
  const parts = [begin, ...Array.from({ length: times }, () => part)];
  return writeLayer(nextPath(), Buffer.concat(parts), { diffId: `sha256:${'0'.repeat(64)}` });
}

const MERGE = `
  const { mergeLayers } = await import(process.argv[1]);
  await mergeLayers([JSON.parse(process.argv[2])]).catch(({ code, message }) => console.log(code, message));
`;

// In a process of its own: node:test follows every promise, which takes four times as long as reading the headers.
test('refuses a million files', { timeout: 60_000 }, async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `${index}-${randomBytes(40).toString('hex')}`);
  const files = gzipSync(Buffer.concat(names.map((name) => file(name, ''))));
  const layer = await repeated(Buffer.alloc(0), files, 1000);
  const program = ['--input-type=module', '--eval', MERGE, import.meta.resolve('./merge-layers.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, [...program, JSON.stringify(layer)]);
  assert.match(stdout, /^IMAGE_TOO_LARGE Cannot use the layer .*: the image has more than 999999 files/);
});

for (const [name, compress] of Object.entries({ gzipSync, zstdCompressSync })) {
  test(`refuses a bomb of ${name} that a disk would hold`, async () => {
    const begin = compress(member({ name: 'zeroes', size: GiB }));
    const layer = await repeated(begin, compress(Buffer.alloc(MiB)), 512);
    await refused([layer], { code: TOO_LARGE, message: /become more than 256 MiB, which no software does/ });
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
