import { buildCommand } from '@stricli/core';
import { resolve } from 'node:path';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { kernelFlag, nameFlag } from './make-image.ts';

interface Flags {
  readonly name: string;
  readonly kernel?: string;
  readonly json: boolean;
}

export const registerImageCommand = buildCommand({
  async func(this: CliContext, { name, kernel, json }: Flags, file: string) {
    using client = await this.connect();
    const request = { path: resolve(file), name, ...(kernel !== undefined && { kernel }) };
    const image = await client.images.register(request);
    if (json) this.output.json(image);
    else this.output.line(image.name);
  },
  parameters: {
    flags: { name: nameFlag, kernel: kernelFlag, json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'A raw ext4 file system', placeholder: 'file', parse: String }],
    },
  },
  docs: {
    brief: 'Use a raw ext4 file as an image, in place',
    fullDescription: `Use a raw ext4 file system as an image where it is; print its name. VMs write to disks of their own, never to the file, and nobody else may
change it while there are VMs that begin from it. \`banger image promote\` makes a copy that is banger's own.

  banger image register /srv/rootfs.ext4 --name mine
  banger image register rootfs.ext4 --name mine --kernel debian-6.1.0-40-cloud-amd64`,
  },
});
