import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { parseImageReference } from './image-parameter.ts';
import { kernelFlag, makeImage, nameFlag, sizeFlag } from './make-image.ts';

interface Flags {
  readonly name?: string;
  readonly size?: number;
  readonly kernel?: string;
  readonly insecureHttp: boolean;
  readonly json: boolean;
}

export const pullImageCommand = buildCommand({
  async func(this: CliContext, { name, size, kernel, insecureHttp, json }: Flags, reference: string) {
    await makeImage(this, json, (client) =>
      client.images.pull({
        reference,
        ...(name !== undefined && { name }),
        ...(size !== undefined && { sizeBytes: size }),
        ...(kernel !== undefined && { kernel }),
        ...(insecureHttp && { insecureHttp }),
      }),
    );
  },
  parameters: {
    flags: {
      name: { ...nameFlag, optional: true },
      size: sizeFlag,
      kernel: kernelFlag,
      insecureHttp: onOff('Without encryption, from a registry on this machine'),
      json: jsonFlag,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief:
            'alpine, ubuntu:24.04, ghcr.io/acme/tool@sha256:DIGEST, or an image of `image list --available`',
          placeholder: 'reference',
          parse: parseImageReference,
        },
      ],
    },
  },
  docs: {
    brief: 'Make an image of what a registry has',
    fullDescription: `Fetch an image from an OCI or Docker registry and make a root disk of it, or build one of those that banger knows how to make; print its name.
It is called as it was asked for, unless --name says otherwise. When the registry has another one by now, the name goes to that; VMs keep the one that they were made of.

  banger image pull alpine
  banger image pull ghcr.io/acme/tool:1.2 --name tool --size 20G
  banger image pull debian-bookworm`,
  },
});
