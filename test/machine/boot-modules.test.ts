import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { chooseAccelerator } from '#hypervisor/qemu/accelerator.ts';
import { AgentMachine } from '../support/agent-machine.ts';

/** Documentation/admin-guide/tainted-kernels.rst: an unsigned module was loaded. */
const UNSIGNED = 1 << 13;

async function bootedWith(kernelParameters: string[]): Promise<{ unsigned: boolean; modules: string[] }> {
  await using machine = await AgentMachine.boot({ kernelParameters });
  const read = async (path: string) => {
    const command = await machine.client.exec({ argv: ['/bin/busybox', 'cat', path] });
    const [content] = await Promise.all([text(command.stdout), command.exited]);
    return content.trim();
  };
  const tainted = Number(await read('/proc/sys/kernel/tainted'));
  const modules = (await read('/proc/modules')).split('\n').map((line) => line.split(' ')[0] ?? '');
  return { unsigned: (tainted & UNSIGNED) !== 0, modules };
}

test('an emulated kernel does not check the modules that the host gives it, and has them all', async () => {
  const { accelerator } = await chooseAccelerator(undefined);
  const { unsigned, modules } = await bootedWith([]);
  assert.equal(unsigned, accelerator === 'tcg');
  assert.ok(modules.includes('virtio_blk') && modules.includes('virtio_net'), modules.join());
});

test('a kernel that insists on signatures finds them', async () => {
  const { unsigned, modules } = await bootedWith(['module.sig_enforce=1']);
  assert.equal(unsigned, false);
  assert.ok(modules.includes('virtio_blk') && modules.includes('virtio_net'), modules.join());
});
