import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { vmParameter } from '../vm/vm-parameter.ts';
import { makeImage } from './make-image.ts';

interface Flags {
  readonly json: boolean;
}

export const commitImageCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, vm: string, name: string) {
    await makeImage(this, json, (client) => client.images.commit({ vm, name }));
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [
        vmParameter,
        { brief: 'What the image is to be called', placeholder: 'name', parse: String },
      ],
    },
  },
  docs: {
    brief: "Make an image of a stopped VM's disk",
    fullDescription: `Make an image of the disk of a VM that is stopped; print its name. The VM stays as it is. What is secret on its disk is in the image too.

  banger vm stop demo
  banger image commit demo demo-tools
  banger vm create --image demo-tools`,
  },
});
