import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

test('machines that are made at the same time without names get different ones', async () => {
  await using home = await FakeDaemonHome.create();
  using client = await home.start();
  // Of 2,304 pairs of words: nine collisions are to be expected where nobody sees to it.
  const create = async () => (await client.vms.create({ start: false })).result();
  const made = await Promise.all(Array.from({ length: 200 }, create));
  assert.equal(new Set(made.map(({ name }) => name)).size, 200);
});

test('a name that was generated is free again when its machine could not be made', async () => {
  await using home = await FakeDaemonHome.create();
  using client = await home.start();
  const operation = await client.vms.create({ start: false, diskBytes: 512 });
  const { name } = operation.latest.vm ?? {};
  await assert.rejects(operation.result(), { code: 'DISK_TOO_SMALL' });
  const vm = await (await client.vms.create({ start: false, name: String(name) })).result();
  assert.equal(vm.name, name);
});
