import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink as makeLink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MiB } from '#base/sizes.ts';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import { openImageSource } from '#daemon/image/source/image-source.ts';
import { LAYER_LIMITS, type LayerLimits } from '#oci/layers/layer-limits.ts';
import { paxRecord } from '#oci/layers/pax-records.ts';
import { checksumOf } from '#oci/layers/tar-header.ts';
import { file, folder, hardLink, member, padded, symlink, tarOf } from '../../support/layer-tar.ts';
import { isRoot, NEEDS_ROOT } from '../../support/small-file-system.ts';
import {
  configOf,
  DIFF_ID,
  dockerMembers,
  LAYER,
  layoutFiles,
  layoutMembers,
  manifestOf,
} from './image-archive.ts';

const INVALID = 'IMAGE_SOURCE_INVALID';
const TOO_LARGE = 'IMAGE_TOO_LARGE';

interface Refusal {
  code?: ErrorCode;
  message: RegExp;
  limits?: Partial<LayerLimits>;
}

describe('archives of images', () => {
  let place: string;
  let workFolder: string;

  before(async () => {
    place = await mkdtemp(`${tmpdir()}/bgr-archive-`);
    workFolder = `${place}/work`;
    await writeFile(`${place}/outside.tar`, LAYER);
  });
  beforeEach(async () => {
    await rm(workFolder, { recursive: true, force: true });
    await mkdir(workFolder);
  });
  after(() => rm(place, { recursive: true }));

  /** All there is, with what tells that it was touched. */
  const listing = async () => {
    const names = (await readdir(place, { recursive: true })).toSorted();
    return Promise.all(
      names.map(async (name) => {
        const { mode, size, nlink, mtimeMs } = await stat(`${place}/${name}`);
        return [name, mode, size, nlink, name === 'work' ? 0 : mtimeMs];
      }),
    );
  };
  const open = (path: string, limits: Partial<LayerLimits> = {}) =>
    openImageSource(path, { workFolder, limits: { ...LAYER_LIMITS, ...limits } });

  /** The content of the layers that were found. */
  const accepted = async (archive: Buffer): Promise<Buffer[]> => {
    await writeFile(`${place}/archive.tar`, archive);
    const { root } = await open(`${place}/archive.tar`);
    assert.ok('layers' in root);
    const contents = await Promise.all(root.layers.map(({ path }) => readFile(path)));
    await rm(workFolder, { recursive: true });
    await mkdir(workFolder);
    return contents;
  };
  const refused = async (archive: Buffer, { code = INVALID, message, limits }: Refusal) => {
    await writeFile(`${place}/archive.tar`, archive);
    const earlier = await listing();
    await assert.rejects(open(`${place}/archive.tar`, limits), (error) => {
      assert.ok(isUserError(error, code), String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(`"${place}/archive.tar"`), error.message);
      assert.ok(error.hint, 'it has a hint');
      return true;
    });
    assert.deepEqual(await listing(), earlier);
    assert.deepEqual(await readFile(`${place}/outside.tar`), LAYER);
  };

  const kinds = { 'docker save': dockerMembers, 'an OCI layout': layoutMembers };
  const packings = { plain: (tar: Buffer) => tar, gzip: gzipSync, zstd: zstdCompressSync };

  for (const [kind, members] of Object.entries(kinds)) {
    for (const [packing, pack] of Object.entries(packings)) {
      it(`takes what ${kind} holds (${packing})`, async () => {
        assert.deepEqual(await accepted(pack(tarOf(...members()))), [LAYER]);
      });
    }
    const refuses = (what: string, refusal: Refusal, ...hostile: Buffer[]) => {
      it(`refuses ${what} in ${kind}`, async () => {
        await refused(tarOf(...members(), ...hostile), refusal);
      });
    };

    for (const [what, type] of Object.entries({ 'a block device': '4', 'a character device': '3' }))
      refuses(what, { message: /"x".* is a device/ }, member({ name: 'x', type: type as '3', major: 8 }));
    refuses('a named pipe', { message: /"x".* is a named pipe/ }, member({ name: 'x', type: '6' }));
    refuses('a name that goes up', { message: /leaves the image/ }, file('../outside.tar', 'taken'));
    refuses('an absolute name', { message: /is absolute/ }, file('/x/outside.tar', 'taken'));
    refuses('a hard link out', { message: /leaves the image/ }, hardLink('x', '../outside.tar'));
    refuses('a hard link to nothing', { message: /is not there/ }, hardLink('x', 'outside.tar'));
    refuses('a hard link through a link', { message: /a symlink/ }, symlink('l', '..'), hardLink('x', 'l/x'));
    refuses('a file through a link', { message: /a symlink/ }, symlink('l', '..'), file('l/outside.tar'));
    refuses('a file through a file', { message: /no folder/ }, file('f'), file('f/x'));
    refuses('a name with a line break', { message: /line break/ }, file('a\nb'));
    refuses('a name with a NUL', { message: /NUL/ }, file(`a\0b${'c'.repeat(100)}`));
    refuses('a path of more than 4 KiB', { message: /too long/ }, file('n/'.repeat(2100)));
    refuses('a name of 4 KiB', { message: /255 bytes/ }, file('n'.repeat(4000)));
    refuses('a second manifest.json', { message: /"manifest.json" twice/ }, ...twice('manifest.json'));
    refuses('a second index.json', { message: /"index.json" twice/ }, ...twice('./index.json'));
    refuses(
      'more members than the limit',
      { code: TOO_LARGE, message: /more than 20 files/, limits: { maxEntries: 20 } },
      ...Array.from({ length: 21 }, (_, index) => file(`${index}`, '')),
    );
    refuses(
      'more folders than the limit, in one name',
      { code: TOO_LARGE, message: /more than 20 files/, limits: { maxEntries: 20 } },
      folder('n/'.repeat(21)),
    );
    refuses(
      'more than 100,000 members, which a root file system may have',
      { code: TOO_LARGE, message: /more than 100000 files/ },
      ...Array.from({ length: 50 }, (_, index) => folder(`${index}/${'n/'.repeat(2000)}`)),
    );
    refuses(
      'names that are too long together',
      { code: TOO_LARGE, message: /names .* too large/, limits: { maxMetadataBytes: 2000 } },
      ...Array.from({ length: 10 }, (_, index) => file(`${index}`.padEnd(200, 'n'))),
    );
    refuses(
      'more bytes than the limit',
      { code: TOO_LARGE, message: /more than 1 MiB/, limits: { maxBytes: MiB } },
      file('zeroes', Buffer.alloc(MiB)),
    );
    it(`refuses a member of 2 TB in ${kind} at its header`, async () => {
      const archive = Buffer.concat([...members(), member({ name: 'huge', size: 2 ** 41 })]);
      await refused(archive, { code: TOO_LARGE, message: /more than 64 GiB/ });
    });
    it(`refuses a sparse member of 2 TB in ${kind}, as GNU tar has it`, async () => {
      await refused(tarOf(...members(), sparse('huge', 2 ** 41)), { message: /"huge" is sparse/ });
    });
    it(`refuses a sparse member of 2 TB in ${kind}, as pax has it`, async () => {
      const header = pax(paxRecord('GNU.sparse.realsize', String(2 ** 41)));
      await refused(tarOf(...members(), header, file('huge')), { message: /sparse member/ });
    });
    it(`refuses a bomb in ${kind}, at a small limit`, async () => {
      const limits = { ratioFreeBytes: MiB };
      const bomb = gzipSync(tarOf(...members(), file('zeroes', Buffer.alloc(4 * MiB))));
      await refused(bomb, { code: TOO_LARGE, message: /which no software does/, limits });
    });
    it(`refuses a bomb in ${kind}`, async () => {
      const bomb = zstdCompressSync(tarOf(...members(), file('zeroes', Buffer.alloc(257 * MiB))));
      await refused(bomb, { code: TOO_LARGE, message: /become more than 256 MiB/ });
    });
    for (const [packing, pack] of Object.entries({ gzip: gzipSync, zstd: zstdCompressSync }))
      it(`refuses ${kind} when its ${packing} data is cut off`, async () => {
        const packed = pack(tarOf(...members(), file('more', randomBytes(MiB))));
        await refused(packed.subarray(0, -5), { message: /damaged or cut off/ });
      });
    it(`refuses ${kind} when it is cut off`, async () => {
      const tar = tarOf(...members(), file('more', 'm'.repeat(5000)));
      await refused(tar.subarray(0, -4000), { message: /ends in the middle/ });
    });
    it(`refuses ${kind} with something behind its end`, async () => {
      await refused(Buffer.concat([tarOf(...members()), file('x')]), { message: /after its end/ });
    });
  }

  it('says of a tar that ends before its manifest that it is no layer', async () => {
    const [manifest, ...others] = dockerMembers();
    const tar = tarOf(...others, manifest!);
    await refused(tar.subarray(0, 1000), { code: 'IMAGE_LAYER_INVALID', message: /ends in the middle/ });
  });

  it('takes names with ./ before them, as tar writes a folder', async () => {
    const docker = [
      folder('./'),
      file('./c.json', configOf()),
      file('./layer.tar', LAYER),
      file('./manifest.json', manifestOf()),
    ];
    assert.deepEqual(await accepted(tarOf(...docker)), [LAYER]);
    assert.deepEqual(await accepted(tarOf(folder('./'), ...layoutMembers('./'))), [LAYER]);
    assert.deepEqual(await accepted(tarOf(folder('.//'), ...layoutMembers('.//.//'))), [LAYER]);
  });

  it('takes layers that are links to others, as older dockers write them', async () => {
    const tar = tarOf(
      file('one/layer.tar', LAYER),
      symlink('two/layer.tar', '../one/layer.tar'),
      hardLink('three/layer.tar', 'one/layer.tar'),
      symlink('four', 'one'),
      symlink('five', './six/../four'),
      folder('six'),
      file('c.json', configOf(Array.from({ length: 5 }, () => DIFF_ID))),
      file(
        'manifest.json',
        manifestOf(['one', 'two', 'three', 'four', 'five'].map((at) => `${at}/layer.tar`)),
      ),
    );
    assert.deepEqual(await accepted(tar), [LAYER, LAYER, LAYER, LAYER, LAYER]);
  });

  it('takes the last of two layers with one name, as tar does: its digest is checked', async () => {
    const [manifest, config] = dockerMembers();
    const tar = tarOf(manifest!, config!, file('layer.tar', 'other'), file('layer.tar', LAYER));
    assert.deepEqual(await accepted(tar), [LAYER]);
    const reversed = tarOf(manifest!, config!, file('layer.tar', LAYER), file('layer.tar', 'other'));
    await refused(reversed, { message: /the content of layer "layer.tar" is/ });
  });

  it('never leaves the archive by a link', async () => {
    const [manifest, config] = dockerMembers();
    const at = (name: string, target: string) => tarOf(manifest!, config!, symlink(name, target));
    // The first two would be found in the archive too, by who takes its top for that of the host.
    const own = [file('outside.tar', LAYER), file(`${place.slice(1)}/outside.tar`, LAYER)];
    const leading = [`${place}/outside.tar`, '../../outside.tar', '../outside.tar'];
    for (const target of leading) {
      const tar = tarOf(...own, manifest!, config!, symlink('layer.tar', target));
      await refused(tar, { message: /"layer.tar" .*leads out of it/ });
    }
    await refused(at('layer.tar', 'layer.tar'), { message: /"layer.tar" .*too many links/ });
    await refused(at('layer.tar', 'nowhere'), { message: /"layer.tar" is not in it/ });
    await refused(at('layer.tar', '.'), { message: /"layer.tar" is not a file of it/ });
  });

  it('takes a tar that only has a member of such a name for a root file system', async () => {
    for (const content of ['{"name":"web"}', '[]no', '[{"src":"a"}]', 'text']) {
      const tar = tarOf(file('manifest.json', content), file('app/oci-layout', '{}'));
      assert.deepEqual(await accepted(tar), [tar]);
    }
    const tar = tarOf(symlink('oci-layout', 'etc'), folder('manifest.json'));
    assert.deepEqual(await accepted(tar), [tar]);
  });

  it('says so when the disk is full', { skip: !isRoot() && NEEDS_ROOT }, async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', workFolder]);
    try {
      const tar = tarOf(...dockerMembers(), file('more', randomBytes(2 * MiB)));
      await refused(tar, { code: 'HOST_DISK_FULL', message: /the disk is full/ });
    } finally {
      execFileSync('umount', [workFolder]);
    }
  });

  it('ends when it is cancelled', async () => {
    await writeFile(`${place}/archive.tar`, tarOf(...layoutMembers()));
    const earlier = await listing();
    const signal = AbortSignal.abort(new Error('cancelled'));
    await assert.rejects(openImageSource(`${place}/archive.tar`, { workFolder, signal }), /cancelled/);
    assert.deepEqual(await listing(), earlier);
  });

  it('refuses a manifest.json of more than 4 MiB', async () => {
    const [, ...others] = dockerMembers();
    const tags = `"RepoTags":["${'t'.repeat(5 * MiB)}"]`;
    for (const manifest of [manifestOf().padEnd(5 * MiB), manifestOf().replace('"RepoTags":[]', tags)]) {
      const tar = tarOf(file('manifest.json', manifest), ...others);
      await refused(tar, { message: /"manifest.json" has more than 4 MiB/ });
    }
  });

  it('refuses a blob of a folder that is a link out of it, whatever its digest', async () => {
    const layout = `${place}/layout`;
    for (const [name, content] of layoutFiles()) {
      await mkdir(dirname(`${layout}/${name}`), { recursive: true });
      await writeFile(`${layout}/${name}`, content);
    }
    const blob = `${layout}/blobs/sha256/${DIFF_ID.slice('sha256:'.length)}`;
    assert.ok('layers' in (await open(layout)).root);
    await rm(blob);
    await makeLink('../../../outside.tar', blob);
    await assert.rejects(open(layout), { code: INVALID, message: /is not a file of it/ });
    await rm(layout, { recursive: true });
  });
});

function twice(name: string): Buffer[] {
  return [file(name, '[]'), file(name, '[]')];
}

function raw(type: string, name: string): Buffer {
  const block = file(name, '');
  block.write(type, 156);
  return withChecksum(block);
}

function withChecksum(block: Buffer): Buffer {
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** One byte at the end of a hole. */
function sparse(name: string, size: number): Buffer {
  const block = raw('S', name);
  block.write('ustar  \0', 257, 'latin1');
  block.write('00000001000', 124);
  for (const [offset, value] of [
    [386, size - 512],
    [398, 512],
    [483, size],
  ] as const) {
    block[offset] = 0x80;
    block.writeUIntBE(value, offset + 6, 6);
  }
  return Buffer.concat([withChecksum(block), Buffer.alloc(512, 1)]);
}

function pax(payload: Buffer): Buffer {
  const block = raw('x', 'PaxHeader');
  block.write(payload.length.toString(8).padStart(11, '0'), 124);
  return Buffer.concat([withChecksum(block), padded(payload)]);
}
