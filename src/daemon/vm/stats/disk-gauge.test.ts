import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RootDisk } from '#disk/disk.ts';
import { DiskGauge } from './disk-gauge.ts';

/** A root disk that can grow and go. */
class Disk {
  found: RootDisk | undefined = { path: '/vm/root.qcow2', format: 'qcow2', sizeBytes: 8000 };
  allocatedBytes = 100;
  recordBytes = 8000;
  lookups = 0;

  findRootDisk = async () => {
    this.lookups += 1;
    return this.found;
  };

  usage = async ({ sizeBytes }: RootDisk) => {
    if (!this.found) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return { virtualBytes: sizeBytes, allocatedBytes: this.allocatedBytes };
  };

  gauge = () => new DiskGauge({ disk: this, folder: '/vm', sizeBytes: () => this.recordBytes });
}

test('looks for the disk once and measures it every time', async () => {
  const disk = new Disk();
  const gauge = disk.gauge();
  assert.deepEqual(await gauge.usage(), { virtualBytes: 8000, allocatedBytes: 100 });
  disk.allocatedBytes = 200;
  assert.deepEqual(await gauge.usage(), { virtualBytes: 8000, allocatedBytes: 200 });
  assert.equal(disk.lookups, 1);
});

test('looks again when the disk has grown', async () => {
  const disk = new Disk();
  const gauge = disk.gauge();
  await gauge.usage();
  disk.found = { path: '/vm/root.qcow2', format: 'qcow2', sizeBytes: 9000 };
  disk.recordBytes = 9000;
  assert.equal((await gauge.usage())?.virtualBytes, 9000);
});

test('a disk that is gone, before or after it was found, has no usage', async () => {
  const disk = new Disk();
  const gauge = disk.gauge();
  await gauge.usage();
  disk.found = undefined;
  assert.equal(await gauge.usage(), undefined);
  assert.equal(await disk.gauge().usage(), undefined);
});
