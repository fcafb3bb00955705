import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Kernel } from '#contract/owner/kernel.ts';
import { openDatabase, type Database } from './database.ts';
import { KernelRepository } from './kernel-repository.ts';
import { migrations } from './migrations/all.ts';

let database: Database;
let kernels: KernelRepository;

beforeEach(() => {
  database = openDatabase(':memory:');
  kernels = new KernelRepository(database);
});

const kernel = (id: string, changes: Partial<Kernel> = {}): Kernel => ({
  id,
  name: id,
  release: '6.1.0-1-cloud-amd64',
  architecture: 'x86_64',
  source: 'test',
  isDefault: false,
  allocatedBytes: 1,
  createdAt: new Date(0).toISOString(),
  ...changes,
});

test('what was inserted is found by id and by name, unchanged', () => {
  const pulled = kernel('aaa', {
    name: 'debian-6.1',
    recipe: 'debian-bookworm',
    timerHz: 250,
    isDefault: true,
  });
  kernels.insert(pulled);
  assert.deepEqual(kernels.findById('aaa'), pulled);
  assert.deepEqual(kernels.findByName('debian-6.1'), pulled);
  assert.equal(kernels.findByName('aaa'), undefined);
});

test('one kernel at most is the default', () => {
  for (const id of ['aaa', 'bbb']) kernels.insert(kernel(id));
  kernels.setDefault('aaa');
  kernels.setDefault('bbb');
  kernels.setDefault('bbb');
  const isDefault = kernels.list().map(({ id, isDefault: chosen }) => [id, chosen]);
  assert.deepEqual(isDefault, [
    ['aaa', false],
    ['bbb', true],
  ]);
  assert.throws(() => kernels.insert(kernel('ccc', { isDefault: true })), /UNIQUE/);
});

test('one that takes the place of another has its name and is the default in its stead', () => {
  const before = kernel('aaa', { name: 'debian-6.1', isDefault: true });
  kernels.insert(before);
  kernels.supersede(before, 'debian-6.1-aaa', kernel('bbb', { name: 'debian-6.1', isDefault: true }));
  assert.deepEqual(
    kernels.list().map(({ id, name, isDefault }) => [id, name, isDefault]),
    [
      ['aaa', 'debian-6.1-aaa', false],
      ['bbb', 'debian-6.1', true],
    ],
  );
});

test('kernels of a store from before belong to the catalog entry that brought them', () => {
  const old = openDatabase(':memory:', { migrations: migrations.filter(({ id }) => id < 4) });
  old.exec(
    "INSERT INTO kernels VALUES ('aaa', 'debian-6.1.0-1', '6.1.0-1-cloud-amd64', 'x86_64', 'linux-image 6.1', 1, 0)",
  );
  for (const { id, sql } of migrations) if (id >= 4) old.exec(sql);
  assert.deepEqual(new KernelRepository(old).findById('aaa')?.recipe, 'debian-bookworm');
  old.close();
});
