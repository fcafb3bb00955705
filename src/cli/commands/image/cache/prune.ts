import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { CliContext } from '../../../context.ts';
import { jsonFlag, onOff } from '../../../parameters.ts';

interface Flags {
  readonly dryRun: boolean;
  readonly json: boolean;
}

export const pruneImageCacheCommand = buildCommand({
  async func(this: CliContext, { dryRun, json }: Flags) {
    using client = await this.connect();
    const pruned = await client.images.pruneCache({ dryRun });
    if (json) this.output.json({ ...pruned, dryRun });
    else
      this.output.line(
        `${dryRun ? 'would remove' : 'removed'} ${pruned.files} files, ${formatSize(pruned.bytes)}`,
      );
  },
  parameters: {
    flags: { dryRun: onOff('Only say what would be removed'), json: jsonFlag },
  },
  docs: {
    brief: 'Remove downloads of images',
    fullDescription: `Remove the layers that pulls have downloaded, and images without a name that no VM uses. Images with a name stay, and a later pull downloads again. What a pull is using at the moment stays.

  banger image cache prune --dry-run
  banger image cache prune`,
  },
});
