import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBuiltInDrivers, missingDrivers, orderBootModules, parseBuiltIn } from './boot-modules.ts';

const DEP = `kernel/net/core/failover.ko:
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/virtio/virtio_mmio.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/char/virtio_console.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/fs/fuse/fuse.ko:
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/crypto/crc32c_generic.ko:
`;

const names = (paths: string[]) => paths.map((path) => path.slice(path.lastIndexOf('/') + 1));
const none = new Set<string>();

test('puts each module after what it depends on, the network last', () => {
  assert.deepEqual(names(orderBootModules({ dependencies: DEP, builtIn: none })), [
    'virtio_ring.ko',
    'virtio.ko',
    'virtio_mmio.ko',
    'virtio_blk.ko',
    'jbd2.ko',
    'ext4.ko',
    'virtio_console.ko',
    'failover.ko',
    'net_failover.ko',
    'virtio_net.ko',
  ]);
});

test('takes compressed modules and names with dashes', () => {
  const dependencies = DEP.replaceAll('.ko', '.ko.xz').replaceAll('virtio_blk', 'virtio-blk');
  assert.equal(names(orderBootModules({ dependencies, builtIn: none }))[3], 'virtio-blk.ko.xz');
});

test('leaves out what is built into the kernel, and says what is nowhere', () => {
  const dependencies = DEP.split('\n')
    .filter((line) => !line.startsWith('kernel/drivers/block'))
    .join('\n');
  const builtIn = parseBuiltIn('kernel/drivers/block/virtio_blk.ko\n');
  assert.ok(!names(orderBootModules({ dependencies, builtIn })).includes('virtio_blk.ko'));
  assert.deepEqual(missingDrivers({ dependencies, builtIn }), []);
  assert.deepEqual(missingDrivers({ dependencies, builtIn: none }), ['virtio_blk']);
  assert.deepEqual(missingDrivers({ dependencies: '', builtIn }), [
    'virtio_mmio',
    'ext4',
    'virtio_console',
    'virtio_net',
  ]);
});

test('adds a dependency that is not in the list of wanted ones', () => {
  const dependencies = `${DEP.replace('virtio_blk.ko:', 'virtio_blk.ko: kernel/lib/extra.ko')}kernel/lib/extra.ko:\n`;
  const ordered = names(orderBootModules({ dependencies, builtIn: none }));
  assert.ok(ordered.indexOf('extra.ko') < ordered.indexOf('virtio_blk.ko'));
  assert.ok(ordered.includes('extra.ko'));
});

test('what a module asks for without depending on it comes before, by its name or as the plain implementation', () => {
  const softDependencies = '# comment\nsoftdep ext4 pre: crc32c post: fuse\nsoftdep fuse pre: ext4\n';
  const ordered = names(orderBootModules({ dependencies: DEP, builtIn: none, softDependencies }));
  assert.ok(ordered.indexOf('crc32c_generic.ko') < ordered.indexOf('ext4.ko'));
  assert.ok(ordered.includes('crc32c_generic.ko'));
  assert.ok(!ordered.includes('fuse.ko'));
});

test('modules that ask for each other end', () => {
  const softDependencies = 'softdep jbd2 pre: ext4\nsoftdep ext4 pre: jbd2\n';
  assert.ok(
    names(orderBootModules({ dependencies: DEP, builtIn: none, softDependencies })).includes('ext4.ko'),
  );
});

test('drivers in a kernel are found by the names under which they register', () => {
  const kernel = Buffer.from('...\0virtio-mmio\0...\0virtio_blk\0 the virtio_net driver \0ext4\0');
  assert.deepEqual(findBuiltInDrivers(kernel), new Set(['virtio_mmio', 'virtio_blk', 'ext4']));
});
