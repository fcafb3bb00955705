import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { CliContext } from '../../context.ts';
import { formatAge } from '../../elapsed.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

const HEAD = ['NAME', 'ID', 'RELEASE', 'ARCHITECTURE', 'ON DISK', 'CREATED'];

export const listKernelsCommand = buildCommand({
  async func(this: CliContext, { json }: Flags) {
    using client = await this.connect();
    const kernels = await client.kernels.list();
    if (json) {
      this.output.json(kernels);
      return;
    }
    const rows = kernels.map((kernel) => [
      kernel.name,
      kernel.id,
      kernel.release,
      kernel.architecture,
      formatSize(kernel.allocatedBytes),
      formatAge(Date.now() - Date.parse(kernel.createdAt)),
    ]);
    await this.output.table(HEAD, rows);
  },
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'List kernels',
    fullDescription: `List the kernels that are here. The first \`banger vm run\` fetches one.

  banger kernel list`,
  },
});
