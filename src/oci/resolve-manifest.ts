import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { Descriptor } from './descriptor.ts';
import { parseManifest, type Manifest } from './manifest.ts';
import { choosePlatform } from './platform.ts';
import type { ImageReference } from './reference.ts';
import type { FetchedManifest, RegistryClient } from './registry-client.ts';
import { withRetries, type Patience } from './with-retries.ts';

export interface ResolvedImage {
  manifestDigest: string;
  config: Descriptor;
  layers: Descriptor[];
}

export interface ResolveOptions extends Abortable {
  architecture: string;
  patience: Patience;
}

/** The manifest of the image for one architecture, through an index if there is one. */
export async function resolveManifest(
  client: RegistryClient,
  { tag, digest }: ImageReference,
  options: ResolveOptions,
): Promise<ResolvedImage> {
  const get = (tagOrDigest: string) => withRetries(() => client.getManifest(tagOrDigest, options), options);
  const first = await get(digest ?? tag ?? '');
  const manifest = parseFetched(first);
  if (manifest.kind === 'image') return { manifestDigest: first.digest, ...pick(manifest) };
  const entry = choosePlatform(manifest.entries, options.architecture);
  const second = await get(entry.digest);
  const chosen = parseFetched(second);
  if (chosen.kind === 'index') {
    throw new UserError('IMAGE_PULL_FAILED', 'Cannot use the manifest: its index leads to another index');
  }
  return { manifestDigest: second.digest, ...pick(chosen) };
}

function parseFetched({ bytes, contentType }: FetchedManifest): Manifest {
  return parseManifest(bytes, contentType);
}

function pick({
  config,
  layers,
}: Extract<Manifest, { kind: 'image' }>): Pick<ResolvedImage, 'config' | 'layers'> {
  return { config, layers };
}
