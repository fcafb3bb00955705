import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { CliContext } from '../../context.ts';
import { formatAge } from '../../elapsed.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

const HEAD = ['NAME', 'ID', 'ARCHITECTURE', 'SIZE', 'ON DISK', 'CREATED'];

export const listImagesCommand = buildCommand({
  async func(this: CliContext, { json }: Flags) {
    using client = await this.connect();
    const { images, available } = await client.images.list();
    if (json) {
      this.output.json([
        ...images.map((image) => ({ ...image, pulled: true })),
        ...available.filter(({ pulled }) => !pulled),
      ]);
      return;
    }
    const present = images.map((image) => [
      image.name,
      image.id,
      image.architecture,
      formatSize(image.virtualBytes),
      formatSize(image.allocatedBytes),
      formatAge(Date.now() - Date.parse(image.createdAt)),
    ]);
    const missing = available.filter(({ pulled }) => !pulled);
    await this.output.table(HEAD, [
      ...present,
      ...missing.map(({ name }) => [name, '-', '-', '-', '-', 'not made yet']),
    ]);
  },
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'List images: here, and what can be made',
    fullDescription: `List the images that are here, and those that \`banger vm run --image\` makes when they are first used.

  banger image list
  banger image list --json`,
  },
});
