import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { imagePositional } from './image-parameter.ts';
import { makeImage } from './make-image.ts';

interface Flags {
  readonly json: boolean;
}

export const promoteImageCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string) {
    await makeImage(this, json, (client) => client.images.promote(reference));
  },
  parameters: { flags: { json: jsonFlag }, positional: imagePositional },
  docs: {
    brief: "Copy a registered image into banger's own files",
    fullDescription: `Copy the file of an image that was registered in place to where banger keeps its own; the file is not needed any more afterwards. Refused while
VMs begin from it.

  banger image promote mine`,
  },
});
