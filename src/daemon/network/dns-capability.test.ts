import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { DnsCapability } from './dns-capability.ts';

const DEMO = vmRecord({ id: 'aaaaaaaaaaaa', name: 'demo', hostAddress: '127.77.3.4' });
const OTHER = vmRecord({ id: 'bbbbbbbbbbbb', name: 'other', hostAddress: '127.77.3.5' });

function setUp() {
  const names = new Map<string, string>();
  const capability = new DnsCapability({
    set: (name, address) => void names.set(name, address),
    remove: (name) => void names.delete(name),
  });
  return { capability, names: () => Object.fromEntries(names) };
}

test('a VM has its name from its start to its end', async () => {
  const { capability, names } = setUp();
  await capability.afterStart(DEMO);
  await capability.afterStart(OTHER);
  assert.deepEqual(names(), { demo: '127.77.3.4', other: '127.77.3.5' });
  await capability.cleanUp(DEMO.id);
  await capability.cleanUp(DEMO.id);
  assert.deepEqual(names(), { other: '127.77.3.5' });
  await capability.cleanUp('never seen');
});

test('a VM that the host cannot reach has none', async () => {
  const { capability, names } = setUp();
  await capability.afterStart({ ...DEMO, hostAddress: null });
  assert.deepEqual(names(), {});
});

test('a running VM is found under its new name and address only', async () => {
  const { capability, names } = setUp();
  await capability.afterStart(DEMO);
  await capability.applyChange(DEMO, { ...DEMO, name: 'shop', hostAddress: '127.77.9.9' });
  assert.deepEqual(names(), { shop: '127.77.9.9' });
  await capability.applyChange(DEMO, { ...DEMO, name: 'shop', hostAddress: null });
  assert.deepEqual(names(), {});
});

test('a change of a stopped VM publishes nothing', async () => {
  const { capability, names } = setUp();
  await capability.applyChange(DEMO, { ...DEMO, name: 'shop' });
  assert.deepEqual(names(), {});
});

test('a name that another VM has taken since is left to it', async () => {
  const { capability, names } = setUp();
  await capability.afterStart(DEMO);
  await capability.afterStart({ ...OTHER, name: 'demo' });
  await capability.applyChange(DEMO, { ...DEMO, name: 'shop' });
  assert.deepEqual(names(), { demo: '127.77.3.5', shop: '127.77.3.4' });
});
