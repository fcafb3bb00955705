import { buildCommand } from '@stricli/core';
import { resolve } from 'node:path';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { kernelFlag, makeImage, nameFlag, sizeFlag } from './make-image.ts';
import { spoolStdin } from './spool-stdin.ts';

interface Flags {
  readonly name: string;
  readonly size?: number;
  readonly kernel?: string;
  readonly json: boolean;
}

export const importImageCommand = buildCommand({
  async func(this: CliContext, { name, size, kernel, json }: Flags, source: string) {
    await using spool = source === '-' ? await spoolStdin(this) : undefined;
    const path = spool?.path ?? resolve(source);
    await makeImage(this, json, (client) =>
      client.images.import({
        path,
        name,
        ...(size !== undefined && { sizeBytes: size }),
        ...(kernel !== undefined && { kernel }),
      }),
    );
  },
  parameters: {
    flags: { name: nameFlag, size: sizeFlag, kernel: kernelFlag, json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'A tar, a folder, or - for a tar on stdin', placeholder: 'source', parse: String },
      ],
    },
  },
  docs: {
    brief: 'Make an image of a tar or a folder',
    fullDescription: `Make an image of what is on this machine; print its name. It needs neither an init nor a shell nor sshd in it. The source may be

  - the tar of a root file system, plain or packed with gzip or zstd, also on stdin
  - what \`docker save\` or \`podman save\` wrote, with one image in it
  - an OCI layout with one image for this machine, a folder or a tar
  - a folder with a root file system, whose files all become root's

  banger image import rootfs.tar.gz --name mine
  docker save acme/tool | banger image import - --name tool
  banger image import ./layout --name tool`,
  },
});
