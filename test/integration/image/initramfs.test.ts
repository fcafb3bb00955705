import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildInitramfs } from '#guest/initramfs.ts';
import { runCommand } from '#host/run-command.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('cpio reads the initramfs as it was meant', async () => {
  const modules = ['virtio_ring.ko', 'virtio.ko'].map((fileName) => ({ fileName, content: bytes(fileName) }));
  const input = buildInitramfs({ agent: bytes('agent'), modules });
  const { stdout } = await runCommand('cpio', ['--list', '--verbose', '--numeric-uid-gid', '--quiet'], {
    input,
  });
  const entries = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').split(' '))
    .map((words) => [words[0], words[2], words[3], words.at(-1)].join(' '));
  assert.deepEqual(entries, [
    'drwxr-xr-x 0 0 dev',
    'drwxr-xr-x 0 0 modules',
    'drwxr-xr-x 0 0 newroot',
    'drwxr-xr-x 0 0 proc',
    'drwxr-xr-x 0 0 sys',
    'crw------- 0 0 dev/console',
    '-rwxr-xr-x 0 0 init',
    '-rw-r--r-- 0 0 modules.list',
    '-rw-r--r-- 0 0 modules/virtio_ring.ko',
    '-rw-r--r-- 0 0 modules/virtio.ko',
  ]);
  const extracted = await runCommand('cpio', ['--extract', '--to-stdout', '--quiet', 'modules.list'], {
    input,
  });
  assert.equal(extracted.stdout, 'virtio_ring.ko\nvirtio.ko\n');
});
