import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KiB, MiB } from '#base/sizes.ts';
import type { DiskDriver, RootDiskSpec } from './disk.ts';

interface DiskPlace {
  driver: DiskDriver;
  spec: RootDiskSpec;
}

const BASE_BYTES = 4 * MiB;
const DISK_BYTES = 64 * MiB;

/** What every disk driver does. */
export function describeDiskDriver(name: string, makeDriver: () => DiskDriver): void {
  describe(`${name} as a disk driver`, () => {
    for (const [title, test] of Object.entries(DISK_TESTS)) {
      it(title, { timeout: 60_000 }, async () => {
        const root = await mkdtemp(join(tmpdir(), 'bgr-disk,'));
        try {
          const [folder, basePath] = [join(root, 'vm, a'), join(root, 'base, b.raw')];
          await mkdir(folder);
          await writeFile(basePath, Buffer.alloc(BASE_BYTES, 'b'));
          await chmod(basePath, 0o400);
          await test({ driver: makeDriver(), spec: { folder, basePath, sizeBytes: DISK_BYTES } });
        } finally {
          await rm(root, { recursive: true });
        }
      });
    }
  });
}

const DISK_TESTS: Record<string, (place: DiskPlace) => Promise<void>> = {
  async 'makes a disk of the size asked for, which is found again'({ driver, spec }) {
    const disk = await driver.createRootDisk(spec);
    assert.equal(disk.sizeBytes, DISK_BYTES);
    assert.ok(disk.path.startsWith(`${spec.folder}/`));
    assert.deepEqual(await driver.findRootDisk(spec.folder), disk);
    assert.deepEqual((await readdir(spec.folder)).length, 1);
  },

  async 'takes little space until it is written, and leaves the base alone'({ driver, spec }) {
    const before = await stat(spec.basePath);
    const { virtualBytes, allocatedBytes } = await driver.usage(await driver.createRootDisk(spec));
    assert.equal(virtualBytes, DISK_BYTES);
    assert.ok(allocatedBytes > 0 && allocatedBytes < MiB, `${allocatedBytes} bytes`);
    assert.equal((await stat(spec.basePath)).mtimeMs, before.mtimeMs);
    assert.ok((await readFile(spec.basePath)).every((byte) => byte === 0x62));
  },

  async 'finds nothing where nothing is'({ driver, spec }) {
    assert.equal(await driver.findRootDisk(spec.folder), undefined);
    assert.equal(await driver.findRootDisk(join(spec.folder, 'missing')), undefined);
  },

  async 'refuses a disk that is smaller than its base, and takes one of the same size'({ driver, spec }) {
    await assert.rejects(driver.createRootDisk({ ...spec, sizeBytes: BASE_BYTES - 1 }), {
      code: 'DISK_TOO_SMALL',
    });
    assert.deepEqual(await readdir(spec.folder), []);
    assert.equal((await driver.createRootDisk({ ...spec, sizeBytes: BASE_BYTES })).sizeBytes, BASE_BYTES);
  },

  async 'refuses a disk that the file system cannot hold'({ driver, spec }) {
    const sizeBytes = Number.MAX_SAFE_INTEGER;
    if (await canHold(spec.folder, sizeBytes)) return;
    await assert.rejects(driver.createRootDisk({ ...spec, sizeBytes }), { code: 'DISK_TOO_LARGE' });
    assert.deepEqual(await readdir(spec.folder), []);
  },

  async 'leaves nothing when it is cancelled'({ driver, spec }) {
    const reason = new Error('cancelled');
    await assert.rejects(driver.createRootDisk(spec, { signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(await readdir(spec.folder), []);
  },

  async 'grows, and never shrinks'({ driver, spec }) {
    const disk = await driver.createRootDisk(spec);
    const grown = await driver.growRootDisk(disk, 2 * DISK_BYTES);
    assert.deepEqual(grown, { ...disk, sizeBytes: 2 * DISK_BYTES });
    assert.deepEqual(await driver.growRootDisk(grown, 2 * DISK_BYTES), grown);
    await assert.rejects(driver.growRootDisk(grown, DISK_BYTES), { code: 'DISK_TOO_SMALL' });
    assert.deepEqual(await driver.findRootDisk(spec.folder), grown);
  },

  async 'exports all of a disk to a raw file, and nothing when it is cancelled'({ driver, spec }) {
    const disk = await driver.createRootDisk(spec);
    const target = join(spec.folder, 'exported.raw');
    const reason = new Error('cancelled');
    await assert.rejects(driver.exportRootDisk(disk, target, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal((await readdir(spec.folder)).includes('exported.raw'), false);
    await driver.exportRootDisk(disk, target);
    const content = await readFile(target);
    assert.equal(content.length, DISK_BYTES);
    assert.ok(content.subarray(0, BASE_BYTES).every((byte) => byte === 0x62));
    assert.ok(content.subarray(BASE_BYTES).every((byte) => byte === 0));
    assert.deepEqual(await driver.findRootDisk(spec.folder), disk);
  },

  async 'knows a file that is not its own'({ driver, spec }) {
    const { path } = await driver.createRootDisk(spec);
    for (const content of ['', 'not a disk', Buffer.alloc(KiB, 0xff)]) {
      await writeFile(path, content);
      await assert.rejects(driver.findRootDisk(spec.folder), { code: 'DISK_DAMAGED' });
    }
  },

  async 'removes what it made, twice, and nothing else'({ driver, spec }) {
    await driver.createRootDisk(spec);
    await writeFile(join(spec.folder, 'console.log'), 'kept');
    await driver.removeRootDisk(spec.folder);
    await driver.removeRootDisk(spec.folder);
    assert.deepEqual(await readdir(spec.folder), ['console.log']);
    assert.equal(await driver.findRootDisk(spec.folder), undefined);
    await driver.removeRootDisk(join(spec.folder, 'missing'));
  },
};

async function canHold(folder: string, sizeBytes: number): Promise<boolean> {
  const path = join(folder, 'probe');
  await writeFile(path, '');
  try {
    await truncate(path, sizeBytes);
    return true;
  } catch {
    return false; // which is what the test needs
  } finally {
    await rm(path);
  }
}
