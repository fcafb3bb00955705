import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { GiB, MiB } from '#base/sizes.ts';
import { parseDiskSize } from '#cli/parameters.ts';
import { UserError } from '#contract/errors.ts';
import type { RootDiskSpec } from '#disk/disk.ts';
import { describeDiskDriver } from '#disk/conformance.ts';
import { Qcow2Disks } from '#disk/qcow2/qcow2-disks.ts';
import { runCommand } from '#host/run-command.ts';

const PROGRAMS = join(import.meta.dirname, '../../fixtures/programs');

describeDiskDriver('Qcow2Disks', () => new Qcow2Disks());

async function newSpec(t: TestContext): Promise<RootDiskSpec> {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-disk-'));
  t.after(() => rm(folder, { recursive: true }));
  const basePath = join(folder, 'base.raw');
  await writeFile(basePath, Buffer.alloc(MiB, 'base'));
  return { folder, basePath, sizeBytes: 8 * MiB };
}

function readRaw(path: string): Promise<string> {
  return runCommand('qemu-io', ['-f', 'qcow2', '-r', '-c', 'read -v 0 16', path]).then(
    ({ stdout }) => stdout,
  );
}

test('the guest sees the base, and writes beside it', async (t) => {
  const spec = await newSpec(t);
  const disk = await new Qcow2Disks().createRootDisk(spec);
  assert.match(await readRaw(disk.path), /62 61 73 65/);
  await runCommand('qemu-io', ['-f', 'qcow2', '-c', 'write -P 0x41 0 4096', disk.path]);
  assert.match(await readRaw(disk.path), /41 41 41 41/);
  const { stdout } = await runCommand('head', ['-c', '4', spec.basePath]);
  assert.equal(stdout, 'base');
});

/** Two disks of one driver, the second without qemu-img, beside the second of another driver. */
for (const [title, sizeBytes] of Object.entries({ '8 MiB': 8 * MiB, '9 TiB': 9 * 2 ** 40 })) {
  test(`the second disk of ${title} on a base is what qemu-img would have made`, async (t) => {
    const base = await newSpec(t);
    const [first, second, other] = await Promise.all(
      ['first', 'second', 'other'].map(async (name) => {
        const folder = join(base.folder, name);
        await mkdir(folder);
        return { ...base, folder, sizeBytes };
      }),
    );
    const disks = new Qcow2Disks();
    await disks.createRootDisk(first!);
    const { path } = await disks.createRootDisk(second!);
    const expected = await new Qcow2Disks().createRootDisk(other!);
    assert.ok((await readFile(path)).equals(await readFile(expected.path)));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await runCommand('qemu-img', ['check', '-q', '-f', 'qcow2', path]);
    assert.deepEqual(await disks.findRootDisk(second!.folder), { path, format: 'qcow2', sizeBytes });
  });
}

for (const baseBytes of [MiB, 3 * MiB + 512, GiB, GiB + 1]) {
  test(`the least size for a base of ${baseBytes} bytes can be given as it is told`, async (t) => {
    const spec = await newSpec(t);
    await truncate(spec.basePath, baseBytes);
    const disks = new Qcow2Disks();
    await assert.rejects(disks.createRootDisk({ ...spec, sizeBytes: 512 }), (error) => {
      assert.ok(error instanceof UserError);
      const told = parseDiskSize(/--disk-size (\S+)$/.exec(error.hint ?? '')?.[1] ?? '');
      assert.ok(told >= baseBytes && told < baseBytes + GiB, `${error.hint}`);
      return true;
    });
  });
}

test('a disk of another size or base is made anew', async (t) => {
  const spec = await newSpec(t);
  const disks = new Qcow2Disks();
  await disks.createRootDisk(spec);
  const otherBase = join(spec.folder, 'other.raw');
  await writeFile(otherBase, Buffer.alloc(MiB, 'side'));
  const smaller = await disks.createRootDisk({ ...spec, sizeBytes: 4 * MiB });
  assert.deepEqual(await disks.findRootDisk(spec.folder), smaller);
  const { path } = await disks.createRootDisk({ ...spec, basePath: otherBase });
  assert.match(await readRaw(path), /73 69 64 65/);
});

test('a size between sectors is rounded up', async (t) => {
  const disk = await new Qcow2Disks().createRootDisk({ ...(await newSpec(t)), sizeBytes: 8 * MiB + 1 });
  assert.equal(disk.sizeBytes, 8 * MiB + 4096);
});

test('a disk is found whatever QEMU did with it', async (t) => {
  const spec = await newSpec(t);
  const disks = new Qcow2Disks();
  const { path } = await disks.createRootDisk(spec);
  const steps = [
    ['qemu-io', '-f', 'qcow2', '-c', 'write -P 0x41 0 4M', path],
    ['qemu-img', 'snapshot', '-c', 'one', path],
    ['qemu-img', 'resize', '-q', '-f', 'qcow2', path, '64T'], // whose table is written somewhere else
  ];
  for (const [program = '', ...args] of steps) {
    await runCommand(program, args);
    const { stdout } = await runCommand('qemu-img', ['info', '--output=json', path]);
    const { 'virtual-size': sizeBytes } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(await disks.findRootDisk(spec.folder), { path, format: 'qcow2', sizeBytes });
  }
  await truncate(path, 128 * 1024);
  await assert.rejects(disks.findRootDisk(spec.folder), { code: 'DISK_DAMAGED' });
});

test('a disk whose base is gone is damaged', async (t) => {
  const spec = await newSpec(t);
  const disks = new Qcow2Disks();
  await disks.createRootDisk(spec);
  await rm(spec.basePath);
  await assert.rejects(disks.findRootDisk(spec.folder), {
    code: 'DISK_DAMAGED',
    message: /its base ".*base\.raw" is gone$/,
    hint: /banger fsck/,
  });
});

test('a qcow2 file that another made is not taken for a root disk', async (t) => {
  const spec = await newSpec(t);
  const path = join(spec.folder, 'root.qcow2');
  await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1M']);
  await assert.rejects(new Qcow2Disks().findRootDisk(spec.folder), { code: 'DISK_DAMAGED' });
  const data = `data_file=${join(spec.folder, 'data')},data_file_raw=on`;
  await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', data, path, '1M']);
  await assert.rejects(new Qcow2Disks().findRootDisk(spec.folder), { code: 'DISK_DAMAGED' });
});

test('unfinished disks of a killed daemon are removed', async (t) => {
  const spec = await newSpec(t);
  for (const name of [
    '.root.qcow2.0123abcd.partial',
    '.size-probe.0123abcd.partial',
    '.other.0123abcd.partial',
  ]) {
    await writeFile(join(spec.folder, name), '');
  }
  await new Qcow2Disks().removeRootDisk(spec.folder);
  assert.deepEqual((await readdir(spec.folder)).toSorted(), ['.other.0123abcd.partial', 'base.raw']);
});

test('qemu-img is not installed: the package', async (t) => {
  const disks = new Qcow2Disks({ qemuImg: 'qemu-img-that-is-not-there' });
  const spec = await newSpec(t);
  await assert.rejects(disks.createRootDisk(spec), {
    code: 'DISK_TOOL_MISSING',
    hint: 'apt-get install qemu-utils',
  });
  assert.deepEqual(await readdir(spec.folder), ['base.raw']);
});

test('a full file system is told as one, and nothing is left', async (t) => {
  const disks = new Qcow2Disks({ qemuImg: join(PROGRAMS, 'finds-disk-full') });
  const spec = await newSpec(t);
  await assert.rejects(disks.createRootDisk(spec), { code: 'HOST_DISK_FULL' });
  assert.deepEqual(await readdir(spec.folder), ['base.raw']);
});

test('a cancelled qemu-img is killed and its file removed', async (t) => {
  const disks = new Qcow2Disks({ qemuImg: join(PROGRAMS, 'never-answers') });
  const spec = await newSpec(t);
  await assert.rejects(disks.createRootDisk(spec, { signal: AbortSignal.timeout(100) }), {
    name: 'TimeoutError',
  });
  assert.deepEqual(await readdir(spec.folder), ['base.raw']);
});
