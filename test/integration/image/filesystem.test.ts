import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { lacksLibarchive, type PopulateMethod } from '#ext4/populate-method.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import { runCommand } from '#host/run-command.ts';
import { isRoot, NEEDS_ROOT } from '../../support/small-file-system.ts';
import { TarReadingMke2fs } from '../../support/tar-reading-mke2fs.ts';
import { readExt4Entry, run } from './ext4-entry.ts';

// Made under fakeroot, so that it needs no root itself.
const MAKE_TAR = `
set -eu
cd "$1"
mkdir -p tree/dev tree/deep/er "tree/odd name" tree/closed
mknod tree/dev/null c 1 3
mknod tree/dev/sda b 8 0
mkfifo tree/pipe
echo setuid > tree/setuid; chown 0:42 tree/setuid; chmod 4755 tree/setuid
echo user > tree/user; chown 1000:1001 tree/user; chmod 640 tree/user
ln tree/user tree/hard-link
ln -s ../user "tree/deep/sym link"
echo odd > "tree/odd name/$(printf 'x%.0s' $(seq 1 200))"
echo none > tree/closed/none; chmod 000 tree/closed/none; chmod 500 tree/closed
chmod 1777 tree/deep
touch -d @1000000000 tree/user
truncate -s 3M tree/sparse
echo capable > tree/capable; setcap cap_net_raw+ep tree/capable
exec tar --create --file tree.tar --numeric-owner --format=pax --sort=name --xattrs --xattrs-include='*' -C tree .
`;

describe('ext4 from a tar', () => {
  let folder: string;
  let tarReading: TarReadingMke2fs | undefined;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/banger-ext4-`);
    if (isRoot()) tarReading = await TarReadingMke2fs.fetch(folder);
    await run('fakeroot', ['sh', '-c', MAKE_TAR, 'sh', folder]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const methods: PopulateMethod[] = isRoot() ? ['tar', 'root', 'fakeroot'] : ['fakeroot'];
  for (const method of methods) {
    test(`the method "${method}" keeps owners, modes, devices and links`, async () => {
      using _ = method === 'tar' ? tarReading?.use() : undefined;
      const path = await makeOf('tree', method);
      const setuid = await readExt4Entry(path, '/setuid');
      assert.deepEqual([setuid.mode, setuid.owner], [0o4755, '0:42']);
      const user = await readExt4Entry(path, '/user');
      assert.deepEqual([user.mode, user.owner, user.mtime], [0o640, '1000:1001', 1_000_000_000]);
      assert.equal((await readExt4Entry(path, '/hard-link')).inode, user.inode);
      const character = await readExt4Entry(path, '/dev/null');
      assert.deepEqual([character.type, character.device], ['character special', '1:3']);
      const block = await readExt4Entry(path, '/dev/sda');
      assert.deepEqual([block.type, block.device], ['block special', '8:0']);
      assert.equal((await readExt4Entry(path, '/pipe')).type, 'FIFO');
      assert.equal((await readExt4Entry(path, '/deep/sym link')).type, 'symlink');
      assert.equal((await readExt4Entry(path, '/deep')).mode, 0o1777);
      assert.equal((await readExt4Entry(path, '/closed')).mode, 0o500);
      assert.equal((await readExt4Entry(path, '/closed/none')).mode, 0);
      assert.equal((await readExt4Entry(path, `/odd name/${'x'.repeat(200)}`)).type, 'regular');
      assert.equal((await readExt4Entry(path, '/')).owner, '0:0');
      assert.match(
        (await run('debugfs', ['-R', 'ea_list /capable', path])).stdout,
        /security\.capability \(20\)/,
      );
      await run('e2fsck', ['-fn', path]);
    });
  }

  async function makeOf(name: string, method: PopulateMethod): Promise<string> {
    const workFolder = await mkdtemp(`${folder}/work-`);
    const path = `${workFolder}/made.ext4`;
    const source = { tar: `${folder}/${name}.tar` };
    const shape = { label: 'test', journalMiB: 4, sizeBytes: 1024 * MiB };
    await makeFilesystem({ path, ...shape, source, workFolder }, { method });
    return path;
  }

  test(
    'where mke2fs cannot read tars after all it is unpacked',
    { skip: isRoot() ? false : NEEDS_ROOT },
    async () => {
      await tarReading?.forgetTars();
      using _ = tarReading?.use();
      const args = ['-q', '-t', 'ext4', '-d', `${folder}/tree.tar`, `${folder}/none.ext4`, '64M'];
      await assert.rejects(runCommand('mke2fs', args, { env: BUILD_ENVIRONMENT }), lacksLibarchive);
      const path = await makeOf('tree', 'tar');
      assert.equal((await readExt4Entry(path, '/setuid')).mode, 0o4755);
    },
  );

  test('a guest finds nothing left to initialise, and the host holds little more than the content', async () => {
    const path = `${folder}/sparse.ext4`;
    const source = { tar: `${folder}/tree.tar` };
    await makeFilesystem({
      path,
      label: 'test',
      journalMiB: 4,
      sizeBytes: 8192 * MiB,
      source,
      workFolder: folder,
    });
    const { stdout } = await run('dumpe2fs', [path]);
    const groups = stdout.match(/^Group \d+:.*$/gm) ?? [];
    assert.equal(groups.length, 64);
    assert.deepEqual(
      groups.filter((line) => !line.includes('ITABLE_ZEROED')),
      [],
    );
    const { size, mode } = await stat(path);
    assert.equal(size, 8192 * MiB);
    assert.equal(mode & 0o777, 0o444);
    assert.ok((await allocatedBytes(path)) < 16 * MiB);
  });

  test('content that does not fit is said so and leaves no file', async () => {
    const path = `${folder}/small.ext4`;
    await run('sh', [
      '-c',
      'cd "$1" && mkdir big && head -c 8M /dev/urandom > big/x && tar -cf big.tar -C big .',
      'sh',
      folder,
    ]);
    const source = { tar: `${folder}/big.tar` };
    const making = makeFilesystem({
      path,
      label: 'test',
      journalMiB: 0,
      sizeBytes: 4 * MiB,
      source,
      workFolder: folder,
    });
    await assert.rejects(making, { code: 'DISK_TOO_SMALL' });
    await assert.rejects(stat(path), { code: 'ENOENT' });
  });
});
