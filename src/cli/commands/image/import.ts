import { buildCommand } from '@stricli/core';
import { resolve } from 'node:path';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { kernelFlag, makeImage, nameFlag, sizeFlag } from './make-image.ts';
import { spoolStdin } from './spool-stdin.ts';

interface Flags {
  readonly name?: string;
  readonly sha256?: string;
  readonly size?: number;
  readonly kernel?: string;
  readonly json: boolean;
}

function parseSha256(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new UserError('USAGE', `Cannot use "${text}" as sha256: it is not 64 hexadecimal digits`, {
    hint: 'sha256sum FILE prints it',
  });
}

export const importImageCommand = buildCommand({
  async func(this: CliContext, { name, size, kernel, sha256, json }: Flags, source: string) {
    await using spool = source === '-' ? await spoolStdin(this) : undefined;
    const path = spool?.path ?? resolve(source);
    await makeImage(this, json, (client) =>
      client.images.import({
        path,
        ...(name !== undefined && { name }),
        ...(sha256 !== undefined && { sha256 }),
        ...(size !== undefined && { sizeBytes: size }),
        ...(kernel !== undefined && { kernel }),
      }),
    );
  },
  parameters: {
    flags: {
      name: { ...nameFlag, optional: true, brief: `${nameFlag.brief}; only a bundle brings a name` },
      size: sizeFlag,
      kernel: kernelFlag,
      sha256: {
        kind: 'parsed',
        parse: parseSha256,
        brief: 'Refuse a file that has another one, unread',
        placeholder: 'hex',
        optional: true,
      },
      json: jsonFlag,
    },
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
  - a bundle, which \`banger image make-bundle\` wrote

  banger image import rootfs.tar.gz --name mine
  docker save acme/tool | banger image import - --name tool
  banger image import ./layout --name tool
  banger image import tool.tar.zst`,
  },
});
