import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import type { Image } from '#contract/owner/image.ts';
import { makeSeed, type SeedTask } from '#daemon/image/work-seed/make-seed.ts';
import { parsePublicKey, type PublicKey } from '#daemon/image/work-seed/public-key.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { Ext4Reader, ROOT_INODE } from '#ext4/reader/ext4-reader.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import { listFolderIfThere } from '#host/files.ts';
import { file, folder as directory, hardLink, member, symlink, tarOf } from '../../support/layer-tar.ts';
import { readExt4Entry, run } from './ext4-entry.ts';
import { openService, type OpenService } from './open-service.ts';

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const silent = { stage: () => {}, detail: () => {}, progress: () => {} };

const HOME = [
  directory('root', { mode: 0o710, mtime: 1_111_111_111 }),
  file('root/.bashrc', 'alias ll=ls\n', { mode: 0o640, mtime: 1_222_222_222 }),
  file('root/of somebody', 'theirs', { uid: 70_000, gid: 1001, mode: 0o4755 }),
  file('root/capable', 'x', { xattrs: [{ name: 'security.capability', value: CAPABILITY }] }),
  file('root/line\nbreak "quote" \\ back', 'odd'),
  hardLink('root/another name', 'root/.bashrc'),
  directory('root/deep', { mode: 0o1777, mtime: 1_333_333_333 }),
  file(`root/deep/${'n'.repeat(200)}`, Buffer.alloc(300_000, 'large ')),
  symlink('root/deep/out', '../../../etc/shadow'),
  symlink('root/absolute', '/etc/passwd'),
  member({ name: 'root/null', type: '3', mode: 0o666, major: 1, minor: 3 }),
  member({ name: 'root/pipe', type: '6', mode: 0o600 }),
];

describe('work seeds', () => {
  let folder: string;
  let opened: OpenService;
  let home: string;
  const keys: PublicKey[] = [];

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/bgr-seeds-`);
    for (const type of ['ed25519', 'ecdsa']) {
      execFileSync('ssh-keygen', [
        '-q',
        '-t',
        type,
        '-N',
        '',
        '-C',
        `me at ${type}`,
        '-f',
        `${folder}/${type}`,
      ]);
      keys.push(parsePublicKey(execFileSync('cat', [`${folder}/${type}.pub`], { encoding: 'utf8' })));
    }
    home = await makeDisk('home', HOME);
  });
  after(async () => {
    opened[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    opened?.[Symbol.dispose]();
    await rm(`${folder}/state`, { recursive: true, force: true });
    opened = await openService(folder);
  });

  async function makeDisk(name: string, members: readonly Buffer[], sizeBytes = 64 * MiB): Promise<string> {
    const target = `${folder}/disk-${name}`;
    await mkdir(target);
    await writeFile(`${target}/root.tar`, tarOf(directory('./'), ...members));
    const path = `${target}/rootfs.ext4`;
    const shape = { label: 'test', journalMiB: 4, sizeBytes };
    await makeFilesystem({ ...shape, path, source: { tar: `${target}/root.tar` }, workFolder: target });
    return path;
  }

  async function seedOf(rootDiskPath: string, task: Partial<SeedTask> = {}): Promise<string> {
    const work = await mkdtemp(`${folder}/work-`);
    const path = `${work}/home.ext4`;
    const context = { signal: new AbortController().signal, report: silent };
    await makeSeed({ rootDiskPath, key: undefined, path, folder: work, ...task }, context);
    assert.deepEqual(await readdir(work), ['home.ext4']);
    await run('e2fsck', ['-fn', path]);
    return path;
  }

  async function addImage(name = 'mine', disk = home): Promise<Image> {
    return opened.service.store.create(
      name,
      async (target) => {
        await copyFile(disk, `${target}/rootfs.ext4`);
        return { kind: 'import', source: 'import:test' };
      },
      {},
    );
  }

  async function seeds(): Promise<string[]> {
    return listFolderIfThere(`${opened.layout.imagesDir}/work-seeds`);
  }

  const content = async (image: string, path: string) =>
    (await run('debugfs', ['-R', `cat "${path}"`, image])).stdout;

  test('have all that /root has, with owners, modes, links, times and attributes', async () => {
    const seed = await seedOf(home);
    const { size, mode } = await stat(seed);
    assert.deepEqual([size, mode & 0o777], [512 * MiB, 0o444]);
    assert.ok((await allocatedBytes(seed)) < 4 * MiB);
    const top = await readExt4Entry(seed, '/');
    assert.deepEqual([top.mode, top.owner, top.mtime], [0o710, '0:0', 1_111_111_111]);
    const profile = await readExt4Entry(seed, '/.bashrc');
    assert.deepEqual([profile.mode, profile.mtime, profile.owner], [0o640, 1_222_222_222, '0:0']);
    assert.equal((await readExt4Entry(seed, '/another name')).inode, profile.inode);
    const theirs = await readExt4Entry(seed, '/of somebody');
    assert.deepEqual([theirs.mode, theirs.owner], [0o4755, '70000:1001']);
    assert.deepEqual((await readExt4Entry(seed, '/deep')).mtime, 1_333_333_333);
    assert.equal((await readExt4Entry(seed, '/null')).device, '1:3');
    assert.equal((await readExt4Entry(seed, '/pipe')).type, 'FIFO');
    assert.match(
      (await run('debugfs', ['-R', 'ea_list /capable', seed])).stdout,
      /security\.capability \(20\)/,
    );
    assert.equal(await content(seed, `/deep/${'n'.repeat(200)}`), 'large '.repeat(50_000));
    assert.deepEqual(await describeTop(seed), await describeHome(home));
  });

  test('with a key let it in, once, after those that the image has', async () => {
    const [key, other] = keys as [PublicKey, PublicKey];
    const seed = await seedOf(home, { key });
    const [ssh, authorized] = [
      await readExt4Entry(seed, '/.ssh'),
      await readExt4Entry(seed, '/.ssh/authorized_keys'),
    ];
    assert.deepEqual([ssh.type, ssh.mode, ssh.owner], ['directory', 0o700, '0:0']);
    assert.deepEqual([authorized.mode, authorized.owner], [0o600, '0:0']);
    assert.equal(await content(seed, '/.ssh/authorized_keys'), `${key.line}\n`);

    const disk = await makeDisk('keys', [
      directory('root'),
      directory('root/.ssh', { mode: 0o777, uid: 1000 }),
      file('root/.ssh/authorized_keys', `# mine\n${other.identity} renamed`, { mode: 0o666 }),
      file('root/.ssh/config', 'Host *\n'),
    ]);
    const withBoth = await seedOf(disk, { key });
    assert.equal(
      await content(withBoth, '/.ssh/authorized_keys'),
      `# mine\n${other.identity} renamed\n${key.line}\n`,
    );
    assert.deepEqual(
      [(await readExt4Entry(withBoth, '/.ssh')).mode, await content(withBoth, '/.ssh/config')],
      [0o700, 'Host *\n'],
    );
    const withOne = await seedOf(disk, { key: other });
    assert.equal(await content(withOne, '/.ssh/authorized_keys'), `# mine\n${other.identity} renamed`);
  });

  test('are empty where the image has no /root, and hold what is large and much', async () => {
    const empty = await seedOf(await makeDisk('none', [directory('etc')]));
    assert.deepEqual(await describeTop(empty), []);
    assert.equal((await readExt4Entry(empty, '/')).mode, 0o700);
    const names = Array.from({ length: 1000 }, (_, index) => file(`root/many/${index}`, 'x'));
    const large = file('root/large', Buffer.alloc(20 * MiB, 'large'));
    const disk = await makeDisk(
      'many',
      [directory('root'), directory('root/many'), ...names, large],
      512 * MiB,
    );
    const seed = await seedOf(disk);
    assert.deepEqual(await describeTop(seed), await describeHome(disk));
  });

  test('of a hostile /root are refused', async () => {
    const refuses = async (
      disk: string,
      message: RegExp,
      task: Partial<SeedTask> = {},
      code: ErrorCode = 'IMAGE_SOURCE_INVALID',
    ) => {
      const failure = await seedOf(disk, task).catch((error: unknown) => error);
      assert.ok(isUserError(failure, code), String(failure));
      assert.match(failure.message, message);
    };
    const [key] = keys;
    await refuses(await makeDisk('link', [symlink('root', '/etc')]), /it is a symlink and not a folder/);
    await refuses(await makeDisk('file', [file('root', 'x')]), /it is a file and not a folder/);
    const linked = await makeDisk('ssh-link', [directory('root'), symlink('root/.ssh', '/etc')]);
    await refuses(linked, /its \.ssh is no folder/, { key });
    const keyLink = await makeDisk('key-link', [
      directory('root'),
      directory('root/.ssh'),
      symlink('root/.ssh/authorized_keys', '/etc/shadow'),
    ]);
    await refuses(keyLink, /its \.ssh\/authorized_keys is no file/, { key });
    await refuses(home, /more than 5 files/, { limits: { maxEntries: 5 } }, 'IMAGE_TOO_LARGE');
    await refuses(home, /files or/, { limits: { maxBytes: 200_000 } }, 'IMAGE_TOO_LARGE');
    const named = await makeDisk('named', [directory('root'), file('root/a\nb', 'x', { mode: 0o600 })]);
    assert.equal((await describeTop(await seedOf(named))).length, 1);
    const looped = await makeDisk('loop', [directory('root'), directory('root/a')]);
    await copyFile(looped, `${folder}/looped.ext4`);
    execFileSync('chmod', ['600', `${folder}/looped.ext4`]);
    await run('debugfs', ['-w', '-R', 'link /root /root/a/again', `${folder}/looped.ext4`]);
    await refuses(`${folder}/looped.ext4`, /a folder is in two places/);
  });

  test('of a disk whose journal holds something are made of what it will be', async () => {
    const disk = `${folder}/journal.ext4`;
    await copyFile(home, disk);
    execFileSync('chmod', ['600', disk]);
    const { stdout } = await run('debugfs', ['-R', 'blocks /root/.bashrc', disk]);
    await writeFile(`${folder}/block`, Buffer.concat([Buffer.from('alias ll=no\n'), Buffer.alloc(4084)]));
    await writeFile(`${folder}/commands`, `jo\njw -b ${stdout.trim()} ${folder}/block\njc\n`);
    await run('debugfs', ['-w', '-f', `${folder}/commands`, disk]);
    assert.equal(await content(disk, '/root/.bashrc'), 'alias ll=ls\n');
    const before = execFileSync('sha256sum', [disk]).toString();
    assert.equal(await content(await seedOf(disk), '/.bashrc'), 'alias ll=no\n');
    assert.equal(execFileSync('sha256sum', [disk]).toString(), before);
  });

  describe('of a host', () => {
    const ensure = async (image: Image, key?: PublicKey, signal?: AbortSignal) => {
      const { store, seeds: workSeeds } = opened.service;
      return workSeeds.ensure(await store.ready(image), key, signal ? { signal } : {});
    };

    test('are made once, whoever asks, and found again', async () => {
      const image = await addImage();
      assert.equal(await opened.service.seeds.find(image.id), undefined);
      const [one, two] = await Promise.all([ensure(image), ensure(image)]);
      assert.equal(one.path, two.path);
      assert.equal((await seeds()).length, 1);
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
      const made = await stat(one.path);
      opened[Symbol.dispose]();
      opened = await openService(folder);
      await opened.service.removeLeftovers();
      await using again = await ensure(image);
      assert.equal((await stat(again.path)).mtimeMs, made.mtimeMs);
      assert.deepEqual(await opened.service.seeds.find(image.id), one.workSeed);
      const bytes = await opened.service.seeds.allocatedBytes();
      assert.deepEqual([...bytes], [[image.id, one.workSeed.allocatedBytes]]);
      assert.equal(one.workSeed.virtualBytes, 512 * MiB);
    });

    test('are made anew with another key; who has the old one keeps it', async () => {
      const [key, other] = keys as [PublicKey, PublicKey];
      const image = await addImage();
      const held = await ensure(image, key);
      {
        await using newer = await ensure(image, other);
        assert.notEqual(newer.path, held.path);
        assert.equal(newer.workSeed.keyFingerprint, other.fingerprint);
      }
      assert.equal((await seeds()).length, 2);
      assert.deepEqual(await opened.service.findLeftovers(), []);
      assert.equal(await content(held.path, '/.ssh/authorized_keys'), `${key.line}\n`);
      await held[Symbol.asyncDispose]();
      assert.equal((await seeds()).length, 1);
      assert.equal((await opened.service.seeds.find(image.id))?.keyFingerprint, other.fingerprint);
    });

    test('go with their image, and with the file that they were made of', async () => {
      const image = await addImage();
      await (await ensure(image))[Symbol.asyncDispose]();
      await opened.service.store.delete('mine', { users: () => [], force: false });
      assert.deepEqual(await seeds(), []);

      const path = `${folder}/registered.ext4`;
      await copyFile(home, path);
      const draft = { id: 'aaaaaaaaaaaa', kind: 'register', source: 'register:x' } as const;
      const registered = await opened.service.store.register('own', path, draft);
      const first = await ensure(registered);
      await first[Symbol.asyncDispose]();
      await utimes(path, 1, 1);
      await using second = await ensure(registered);
      assert.notEqual(second.path, first.path);
      assert.equal((await seeds()).length, 1);
    });

    test('leave nothing when nobody waits for them any more', async () => {
      const image = await addImage();
      const controller = new AbortController();
      const { store, seeds: workSeeds } = opened.service;
      const report = {
        ...silent,
        stage: (name: string) => name === 'make-file-system' && controller.abort(new Error('enough')),
      };
      const ready = await store.ready(image);
      await assert.rejects(
        workSeeds.ensure(ready, undefined, { signal: controller.signal, report }),
        /enough/,
      );
      assert.deepEqual(await seeds(), []);
    });

    test('that a crash left half made, damaged or without their image are found and removed', async () => {
      const image = await addImage();
      await (await ensure(image))[Symbol.asyncDispose]();
      const [id] = (await seeds()) as [string];
      const place = `${opened.layout.imagesDir}/work-seeds`;
      await mkdir(`${place}/.${id}.partial/work`, { recursive: true });
      await mkdir(`${place}/bbbbbbbbbbbb`);
      await mkdir(`${place}/cccccccccccc`);
      await writeFile(`${place}/cccccccccccc/seed.json`, '{"format":');
      const found = (await opened.service.findLeftovers()).map(
        ({ of, kind, path }) => `${of} ${kind} ${path}`,
      );
      assert.deepEqual(found.toSorted(), [
        `work-seed partial ${place}/.${id}.partial`,
        `work-seed unknown ${place}/bbbbbbbbbbbb`,
        `work-seed unknown ${place}/cccccccccccc`,
      ]);
      await opened.service.removeLeftovers();
      assert.deepEqual(await seeds(), [id]);
      await writeFile(`${place}/${id}/seed.json`, 'no JSON');
      await using again = await ensure(image);
      assert.ok((await stat(again.path)).size > 0);
      assert.deepEqual(await seeds(), [id]);
    });
  });
});

/** Everything below `/root` of a disk. */
async function describeHome(disk: string): Promise<string[]> {
  await using reader = await Ext4Reader.open(disk);
  const top = await reader.folder(await reader.inode(ROOT_INODE));
  const home = top.find(({ name }) => name === 'root');
  return home === undefined ? [] : await describeFolder(reader, home.inode);
}

/** Everything in a seed. */
async function describeTop(seed: string): Promise<string[]> {
  await using reader = await Ext4Reader.open(seed);
  return await describeFolder(reader, ROOT_INODE);
}

async function describeFolder(reader: Ext4Reader, folder: number, path = ''): Promise<string[]> {
  const rows: string[] = [];
  for (const { name, inode: number } of await reader.folder(await reader.inode(folder))) {
    if (`${path}/${name}` === '/lost+found') continue; // mke2fs's own
    const inode = await reader.inode(number);
    const { kind, mode, uid, gid, mtime, major, minor } = inode;
    const attributes = (await reader.attributes(inode)).map(
      (one) => `${one.name}=${one.value.toString('hex')}`,
    );
    const hash = createHash('sha256');
    if (kind === 'file') for await (const part of reader.content(inode)) hash.update(part);
    if (kind === 'symlink') hash.update(await reader.linkTarget(inode));
    const facts = { kind, mode, uid, gid, mtime, major, minor, attributes, content: hash.digest('hex') };
    rows.push(`${path}/${name} ${JSON.stringify(facts)}`);
    if (kind === 'directory') rows.push(...(await describeFolder(reader, number, `${path}/${name}`)));
  }
  return rows.toSorted();
}
