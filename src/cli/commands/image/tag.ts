import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { imageParameter } from './image-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const tagImageCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string, name: string) {
    using client = await this.connect();
    const image = await client.images.tag(reference, name);
    if (json) this.output.json(image);
    else this.output.line(name);
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [imageParameter, { brief: 'One more name for it', placeholder: 'name', parse: String }],
    },
  },
  docs: {
    brief: 'Give an image one more name',
    fullDescription: `Give an image one more name; print it. Its other names stay.

  banger image tag alpine base
  banger image tag alpine registry.example/base:1`,
  },
});
