import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveVmDefaults, type HostSize } from './vm-defaults.ts';

const HOST: HostSize = { cpus: 8, memoryMiB: 16_384 };

function sizeOn(host: HostSize) {
  const { vcpus, memoryMiB } = resolveVmDefaults({}, host);
  return [vcpus.value, vcpus.source, memoryMiB.value, memoryMiB.source];
}

test('the size grows with the host, within bounds, and says who decided', () => {
  assert.deepEqual(sizeOn({ cpus: 1, memoryMiB: 512 }), [1, 'host', 512, 'host']);
  assert.deepEqual(sizeOn({ cpus: 2, memoryMiB: 4096 }), [2, 'builtin', 1024, 'builtin']);
  assert.deepEqual(sizeOn({ cpus: 12, memoryMiB: 32_768 }), [3, 'host', 4096, 'host']);
  assert.deepEqual(sizeOn({ cpus: 128, memoryMiB: 1_048_576 }), [4, 'host', 8192, 'host']);
});

test('what nothing decides is built in', () => {
  const { image, diskBytes, network } = resolveVmDefaults({}, HOST);
  assert.deepEqual(image, { value: 'debian-bookworm', source: 'builtin' });
  assert.deepEqual(diskBytes, { value: undefined, source: 'builtin' });
  assert.deepEqual(network, { value: 'user', source: 'builtin' });
});

test('the configuration wins, value by value', () => {
  const defaults = resolveVmDefaults({ vcpus: 7, diskBytes: 512, network: 'none' }, HOST);
  assert.deepEqual(defaults.vcpus, { value: 7, source: 'config' });
  assert.deepEqual(defaults.diskBytes, { value: 512, source: 'config' });
  assert.deepEqual(defaults.network, { value: 'none', source: 'config' });
  assert.deepEqual(defaults.memoryMiB, { value: 2048, source: 'host' });
});
