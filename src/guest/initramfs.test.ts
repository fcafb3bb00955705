import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildInitramfs } from './initramfs.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const content = {
  agent: bytes('the agent'),
  modules: [
    { fileName: 'virtio_ring.ko', content: bytes('ring') },
    { fileName: 'virtio.ko', content: bytes('core') },
  ],
};

test('carries the agent as init, the modules and their order', () => {
  const archive = new TextDecoder().decode(buildInitramfs(content));
  for (const expected of ['init\0', 'modules/virtio.ko\0', 'dev/console\0', 'newroot\0', 'the agent']) {
    assert.ok(archive.includes(expected), expected);
  }
  assert.ok(archive.includes('virtio_ring.ko\nvirtio.ko\n'));
});

test('gives the same bytes for the same content, others for another agent', () => {
  assert.deepEqual(buildInitramfs(content), buildInitramfs(content));
  assert.notDeepEqual(buildInitramfs(content), buildInitramfs({ ...content, agent: bytes('another') }));
});
