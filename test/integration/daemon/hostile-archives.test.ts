import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import { MAX_LAYERS } from '#oci/manifest.ts';
import type { BangerClient } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { file, symlink, tarOf } from '../../support/layer-tar.ts';
import { run } from '../image/ext4-entry.ts';
import {
  configOf,
  DIFF_ID,
  dockerMembers,
  LAYER,
  layoutFiles,
  layoutMembers,
  manifestOf,
} from '../image/image-archive.ts';

const SIZE = 64 * 2 ** 20;
const INVALID = 'IMAGE_SOURCE_INVALID';

// Made by GNU tar itself, with the valid members of an image before them.
const HOSTILE = {
  'a device': ['mknod x b 7 0', 'x', /"x" is a device/],
  'a named pipe': ['mkfifo x', 'x', /"x" is a named pipe/],
  'a sparse file of 2 TB': ['truncate -s 2T x', '--sparse --format=gnu x', /"x" is sparse/],
  'a sparse file of 2 TB, in pax': ['truncate -s 2T x', '--sparse --format=posix x', /sparse member/],
  'a file above it': ['echo taken > ../outside', '-P ../outside', /leaves the image/],
  'a file by an absolute path': ['true', '-P "$PWD/c.json"', /is absolute/],
  'a hard link out': ['ln c.json l', '-P --transform "s|^c.json|../c.json|" c.json l', /leaves the image/],
} as const;

describe('hostile archives of images', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;
  let attempts = 0;
  const path = (name: string) => join(home.root, name);

  before(async () => {
    home = await FakeDaemonHome.create();
    await mkdir(path('bin'));
    await mkdir(path('context'));
    await writeFile(path('context/Dockerfile'), 'FROM scratch\n');
    // Answers as docker does; what it "built" is the archive that lies beside it.
    await writeFile(
      path('bin/docker'),
      `#!/bin/sh
set -eu
command=$1; shift
case "$command" in
  build) while [ $# -gt 1 ]; do [ "$1" = --iidfile ] && printf sha256:%064d 7 > "$2"; shift; done ;;
  save) cp "$(dirname "$0")/../archive.tar" "$2" ;;
esac
`,
    );
    await chmod(path('bin/docker'), 0o755);
    client = await home.start({ env: { PATH: `${path('bin')}:${process.env['PATH'] ?? ''}` } });
    await writeFile(path('outside.tar'), LAYER);
    await writeFile(path('outside.json'), configOf());
  });
  after(async () => {
    client?.close();
    await home[Symbol.asyncDispose]();
  });

  const importArchive = async (name: string) =>
    (await client.images.import({ path: path('archive.tar'), name, sizeBytes: SIZE })).result();
  const buildImage = async (name: string) => {
    const request = { context: path('context'), name, sizeBytes: SIZE, builder: 'docker' as const };
    return (await client.images.build(request)).result();
  };
  const listed = () => readdir(home.layout.imagesDir, { recursive: true }).catch(() => []);

  /** Neither as an import nor as what a builder made; nothing is left, and what lies outside is as it was. */
  const refuse = async (message: RegExp, code: ErrorCode = INVALID) => {
    const earlier = [await listed(), (await client.images.list()).images, await readdir(home.root)];
    const isIt = (error: unknown) => {
      assert.ok(isUserError(error, code), String(error));
      assert.match(error.message, message);
      return true;
    };
    attempts += 1; // a case whose guard is gone takes no name away from the others
    await assert.rejects(importArchive(`import-${attempts}`), isIt);
    await assert.rejects(buildImage(`build-${attempts}`), isIt);
    assert.deepEqual(
      [await listed(), (await client.images.list()).images, await readdir(home.root)],
      earlier,
    );
    assert.deepEqual(await readFile(path('outside.tar')), LAYER);
    assert.equal(await readFile(path('outside.json'), 'utf8'), configOf());
  };

  it('the same without anything hostile becomes an image', async () => {
    for (const [index, members] of [dockerMembers(), layoutMembers()].entries()) {
      await writeFile(path('archive.tar'), tarOf(...members));
      await importArchive(`imported-${index}`);
      await buildImage(`built-${index}`);
    }
  });

  // What each leads to is there, with the right content: on the host, and below the top of the archive for a reader that goes no higher.
  const saved = (manifest: string, ...more: Buffer[]) =>
    tarOf(
      file('manifest.json', manifest),
      ...more,
      file('outside.tar', LAYER),
      file(`${home.root.slice(1)}/outside.tar`, LAYER),
      file('outside.json', configOf()),
      file(`${home.root.slice(1)}/outside.json`, configOf()),
    );
  const config = file('c.json', configOf());
  const layer = file('layer.tar', LAYER);
  const many = Array.from({ length: MAX_LAYERS + 1 }, () => 'layer.tar');
  const docker: Record<string, [() => Buffer, RegExp]> = {
    'names a layer above itself': [
      () => saved(manifestOf(['../../outside.tar']), config),
      /"..\/..\/outside.tar" leaves the image/,
    ],
    'names a layer by an absolute path': [
      () => saved(manifestOf([path('outside.tar')]), config),
      /outside.tar" is absolute/,
    ],
    'has a layer that is a link out of it': [
      () => saved(manifestOf(), config, symlink('layer.tar', path('outside.tar'))),
      /"layer.tar" is a link that leads out of it/,
    ],
    'has a layer that is a link above it': [
      () => saved(manifestOf(), config, symlink('layer.tar', '../../outside.tar')),
      /"layer.tar" is a link that leads out of it/,
    ],
    'has a configuration that is a link out of it': [
      () => saved(manifestOf(), symlink('c.json', path('outside.json')), layer),
      /"c.json" is a link that leads out of it/,
    ],
    'has one layer too many': [
      () => saved(manifestOf(many), file('c.json', configOf(many.map(() => DIFF_ID))), layer),
      new RegExp(`its manifest.json cannot be used: .*<=${MAX_LAYERS} items`),
    ],
  };
  const index = (change: (text: string) => string) => {
    const files = layoutFiles();
    files.set('index.json', change(String(files.get('index.json'))));
    return tarOf(...[...files].map(([name, content]) => file(name, content)));
  };
  const layouts: Record<string, [() => Buffer, RegExp]> = {
    'has a layout that leads nowhere': [
      () => index(() => '{"schemaVersion":2,"manifests":[]}'),
      /it holds no image/,
    ],
    'has an index of 5 MiB': [
      () => index((text) => text.padEnd(5 * 2 ** 20)),
      /"index.json" has more than 4 MiB/,
    ],
    'has a digest that is a path': [
      () => index((text) => text.replace(/sha256:[0-9a-f]{64}/, (digest) => `${digest}/../x`)),
      /manifests.0.digest: no sha256 digest/,
    ],
  };
  for (const [title, [make, message]] of Object.entries({ ...docker, ...layouts })) {
    it(`an archive that ${title} is refused`, async () => {
      await writeFile(path('archive.tar'), make());
      await refuse(message);
    });
  }

  for (const [title, [script, member, message]] of Object.entries(HOSTILE)) {
    it(`an archive with ${title} is refused`, async () => {
      const folder = path('hostile');
      await mkdir(folder);
      await writeFile(join(folder, 'manifest.json'), manifestOf());
      await writeFile(join(folder, 'c.json'), configOf());
      await writeFile(join(folder, 'layer.tar'), LAYER);
      const make = `set -eu; cd "$1"; ${script}; tar -cf ../archive.tar manifest.json c.json layer.tar ${member}`;
      await run('fakeroot', ['sh', '-c', make, 'sh', folder]);
      await rm(folder, { recursive: true });
      await rm(path('outside'), { force: true });
      await refuse(message);
    });
  }

  it('an archive that is cut off is refused', async () => {
    await writeFile(path('archive.tar'), gzipSync(tarOf(...dockerMembers())).subarray(0, -20));
    await refuse(/damaged or cut off/);
  });
});
