import type { AvailableImage } from '#contract/owner/image.ts';
import type { ImageEntry } from './entry.ts';

/** An entry as the API tells of it. */
export function describeEntry(entry: ImageEntry, pulled: boolean): AvailableImage {
  const { name, description, kind, catalog } = entry;
  const sizeBytes = kind === 'recipe' ? entry.recipe.sizeBytes : entry.sizeBytes;
  return {
    name,
    description,
    kind,
    catalog,
    origin: originOf(entry),
    ...(kind === 'bundle' && { downloadBytes: entry.bytes }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    pulled,
  };
}

function originOf(entry: ImageEntry): string {
  if (entry.kind === 'bundle') return entry.url.href;
  return entry.kind === 'oci' ? entry.reference : `Debian ${entry.recipe.suite}`;
}
