import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderBootModules } from './boot-modules.ts';

const DEP = `kernel/net/core/failover.ko:
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/virtio/virtio_mmio.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/char/virtio_console.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/fs/fuse/fuse.ko:
`;

const names = (paths: string[]) => paths.map((path) => path.slice(path.lastIndexOf('/') + 1));

test('puts each module after what it depends on, the network last', () => {
  assert.deepEqual(names(orderBootModules(DEP, '')), [
    'virtio_ring.ko',
    'virtio.ko',
    'virtio_mmio.ko',
    'virtio_blk.ko',
    'virtio_console.ko',
    'failover.ko',
    'net_failover.ko',
    'virtio_net.ko',
  ]);
});

test('takes compressed modules and names with dashes', () => {
  const compressed = DEP.replaceAll('.ko', '.ko.xz').replaceAll('virtio_blk', 'virtio-blk');
  assert.equal(names(orderBootModules(compressed, ''))[3], 'virtio-blk.ko.xz');
});

test('leaves out what is built into the kernel', () => {
  const without = DEP.split('\n')
    .filter((line) => !line.startsWith('kernel/drivers/block'))
    .join('\n');
  const ordered = names(orderBootModules(without, 'kernel/drivers/block/virtio_blk.ko\n'));
  assert.ok(!ordered.includes('virtio_blk.ko'));
  assert.throws(() => orderBootModules(without, ''), /no module "virtio_blk"/);
});

test('adds a dependency that is not in the list of wanted ones', () => {
  const dep = `${DEP.replace('virtio_blk.ko:', 'virtio_blk.ko: kernel/lib/extra.ko')}kernel/lib/extra.ko:\n`;
  const ordered = names(orderBootModules(dep, ''));
  assert.ok(ordered.indexOf('extra.ko') < ordered.indexOf('virtio_blk.ko'));
  assert.ok(ordered.includes('extra.ko'));
});
