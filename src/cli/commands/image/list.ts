import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { AvailableImage, CatalogProblem, Image } from '#contract/owner/image.ts';
import type { CliContext } from '../../context.ts';
import { formatAge } from '../../elapsed.ts';
import { printable } from '../../output/printable.ts';
import { jsonFlag, onOff } from '../../parameters.ts';

interface Flags {
  readonly available: boolean;
  readonly json: boolean;
}

const AVAILABLE_HEAD = ['NAME', 'HERE', 'KIND', 'FROM', 'CATALOG', 'DESCRIPTION'];
const HEAD = ['NAME', 'ID', 'KIND', 'ARCHITECTURE', 'SIZE', 'ON DISK', 'CREATED'];

async function listImages(this: CliContext, flags: Flags): Promise<void> {
  using client = await this.connect();
  const { images, available, catalogProblems } = await client.images.list();
  if (flags.available) {
    for (const problem of catalogProblems) this.output.note(describeProblem(problem));
    if (flags.json) this.output.json(available);
    else await this.output.table(AVAILABLE_HEAD, available.map(availableRow));
    return;
  }
  const missing = available.filter(({ pulled }) => !pulled);
  if (flags.json) {
    this.output.json([...images.map((image) => ({ ...image, pulled: true })), ...missing]);
    return;
  }
  await this.output.table(HEAD, [
    ...images.flatMap(rowsOf),
    ...missing.map(({ name }) => [name, '-', '-', '-', '-', '-', 'not made yet']),
  ]);
}

function availableRow({ name, pulled, kind, origin, catalog, description }: AvailableImage): string[] {
  return [name, pulled ? 'yes' : 'no', kind, origin, catalog, description];
}

function describeProblem({ catalog, entry, problem }: CatalogProblem): string {
  const which = entry === undefined ? '' : `, entry "${entry}"`;
  return printable(`catalog "${catalog}"${which}: ${problem}`);
}

/** One for each of its names. */
function rowsOf(image: Image): string[][] {
  const names = image.names.length > 0 ? image.names : ['<none>'];
  return names.map((name) => [
    name,
    image.id,
    image.kind,
    image.architecture,
    formatSize(image.virtualBytes),
    formatSize(image.allocatedBytes),
    formatAge(Date.now() - Date.parse(image.createdAt)),
  ]);
}

export const listImagesCommand = buildCommand({
  func: listImages,
  parameters: {
    flags: { available: onOff('Those that banger knows how to make'), json: jsonFlag },
  },
  docs: {
    brief: 'List images: here, and what can be made',
    fullDescription: `List the images that are here, and those that \`banger vm run --image\` makes when they are first used.

  banger image list
  banger image list --available
  banger image list --json`,
  },
});
