import { resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { parseKernelReference } from './kernel-parameter.ts';
import { makeKernel } from './make-kernel.ts';

interface Flags {
  readonly modules?: string;
  readonly initrd?: never;
  readonly json: boolean;
}

export const importKernelCommand = buildCommand({
  async func(this: CliContext, { modules, json }: Flags, name: string, path: string) {
    const request = {
      name,
      path: resolve(path),
      ...(modules === undefined ? {} : { modules: resolve(modules) }),
    };
    await makeKernel(this, { json }, (client) => client.kernels.import(request));
  },
  parameters: {
    flags: {
      modules: {
        kind: 'parsed',
        parse: String,
        brief: 'Folder with the modules of the kernel, as in /lib/modules/RELEASE',
        placeholder: 'folder',
        optional: true,
      },
      initrd: {
        kind: 'parsed',
        parse: refuseInitrd,
        brief: "Not taken: VMs boot with banger's own initramfs",
        placeholder: 'file',
        optional: true,
        hidden: true,
      },
      json: jsonFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'What the kernel is to be called', placeholder: 'name', parse: parseKernelReference },
        { brief: 'bzImage, vmlinux, Debian package, or folder', placeholder: 'path', parse: String },
      ],
    },
  },
  docs: {
    brief: 'Make a kernel of files on this machine',
    fullDescription: `Make a kernel of a bzImage, an ELF vmlinux, a Debian kernel package, or a folder with a kernel and lib/modules; print its name. A package is
unpacked, never installed, and nothing in it is executed. virtio over MMIO (block, net, console) and ext4 must be built in or be modules.

  banger kernel import mine linux-image-6.12.9-cloud-amd64_6.12.9-1_amd64.deb
  banger kernel import own arch/x86/boot/bzImage --modules staging/lib/modules/6.12.9
  banger kernel import tiny vmlinux`,
  },
});

/** Two could be chained, and the agent in banger's would still be the one that runs: the other one would only cost time. */
function refuseInitrd(path: string): never {
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot take the initrd "${path}": VMs boot with banger's own initramfs, which carries its agent`,
    { hint: 'leave --initrd out; the modules that are needed at boot are taken from --modules' },
  );
}
