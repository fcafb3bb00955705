import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../../context.ts';
import { formatAge } from '../../elapsed.ts';
import { jsonFlag, onOff } from '../../parameters.ts';

interface Flags {
  readonly available: boolean;
  readonly json: boolean;
}

const HEAD = ['NAME', 'ID', 'RELEASE', 'ARCHITECTURE', 'ON DISK', 'CREATED', 'DEFAULT'];
const CATALOG_HEAD = ['NAME', 'STATE', 'SIZE', 'PACKAGE', 'DESCRIPTION'];

async function listKernels(this: CliContext, { available, json }: Flags): Promise<void> {
  using client = await this.connect();
  await (available ? listCatalog : listPresent)(this, client, json);
}

async function listPresent({ output }: CliContext, client: BangerClient, json: boolean): Promise<void> {
  const kernels = await client.kernels.list();
  if (json) {
    output.json(kernels);
    return;
  }
  const rows = kernels.map((kernel) => [
    kernel.name,
    kernel.id,
    kernel.release,
    kernel.architecture,
    formatSize(kernel.allocatedBytes),
    formatAge(Date.now() - Date.parse(kernel.createdAt)),
    kernel.isDefault ? 'yes' : '',
  ]);
  await output.table(HEAD, rows);
}

async function listCatalog({ output }: CliContext, client: BangerClient, json: boolean): Promise<void> {
  const kernels = await client.kernels.listAvailable();
  if (json) {
    output.json(kernels);
    return;
  }
  const rows = kernels.map((kernel) => [
    kernel.name,
    kernel.pulled ? 'pulled' : 'available',
    `about ${formatSize(kernel.approximateBytes)}`,
    `${kernel.package} (${kernel.suite})`,
    kernel.description,
  ]);
  await output.table(CATALOG_HEAD, rows);
}

export const listKernelsCommand = buildCommand({
  func: listKernels,
  parameters: {
    flags: { available: onOff('The catalog: those that can be pulled'), json: jsonFlag },
  },
  docs: {
    brief: 'List kernels: here, and what can be pulled',
    fullDescription: `List the kernels that are here, or with \`--available\` those of the catalog. The first \`banger vm run\` fetches one.

  banger kernel list
  banger kernel list --available`,
  },
});
