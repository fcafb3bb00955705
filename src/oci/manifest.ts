import * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import type { Descriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import { isConfigType, isIndexType, isLayerType, isManifestType, isSchema1Type } from './media-types.ts';
import { parseDocument } from './parse-document.ts';

export interface Platform {
  os: string;
  architecture: string;
  variant?: string | undefined;
}

/** One line of an index: a manifest and what it runs on. */
export type IndexEntry = Descriptor & { platform?: Platform | undefined };

export type Manifest =
  { kind: 'index'; entries: IndexEntry[] } | { kind: 'image'; config: Descriptor; layers: Descriptor[] };

export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
/** Docker refuses more than 127; nothing that is honest comes near this. */
export const MAX_LAYERS = 999;
const MAX_INDEX_ENTRIES = 10_000;

const descriptorSchema = z.object({
  mediaType: z.string().max(255),
  digest: z.string().refine(isDigest, 'no sha256 digest'),
  size: z.int().nonnegative(),
});

const platformSchema = z.object({
  os: z.string().max(100),
  architecture: z.string().max(100),
  variant: z.string().max(100).optional(),
});

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z
    .array(
      descriptorSchema.extend({ platform: platformSchema.nullish().transform((one) => one ?? undefined) }),
    )
    .max(MAX_INDEX_ENTRIES),
});

const imageSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).min(1).max(MAX_LAYERS),
});

const kindSchema = z.object({
  schemaVersion: z.number(),
  mediaType: z.string().max(255).optional(),
  manifests: z.unknown().optional(),
  layers: z.unknown().optional(),
  fsLayers: z.unknown().optional(),
});

/**
 * An index or the manifest of one image, in OCI's or Docker's form.
 *
 * @param contentType what the registry calls it, for documents that do not say it themselves
 * @throws UserError IMAGE_PULL_FAILED for everything else
 */
export function parseManifest(bytes: Uint8Array, contentType: string): Manifest {
  const outline = parseDocument(bytes, 'manifest', kindSchema);
  const type = outline.mediaType ?? contentType;
  if (outline.schemaVersion === 1 || isSchema1Type(type)) throw schema1();
  // One text must not be an index to one reader and an image to another: that defeats checks by digest.
  if (outline.manifests !== undefined && outline.layers !== undefined) {
    throw unusable('the manifest is an index and an image at once');
  }
  if (isIndexType(type)) {
    return { kind: 'index', entries: parseDocument(bytes, 'index', indexSchema).manifests };
  }
  if (!isManifestType(type)) throw unusable(`the registry sent "${type}", which is no image`);
  return parseImage(bytes);
}

function parseImage(bytes: Uint8Array): Manifest {
  const { config, layers } = parseDocument(bytes, 'manifest', imageSchema);
  if (!isConfigType(config.mediaType)) {
    throw unusable(`it holds "${config.mediaType}", which is no container image`);
  }
  const odd = layers.find(({ mediaType }) => !isLayerType(mediaType));
  if (odd) throw unusable(`it has a layer of type "${odd.mediaType}"`);
  return { kind: 'image', config, layers };
}

function schema1(): UserError {
  return new UserError('IMAGE_PULL_FAILED', 'Cannot use the manifest: it is of Docker’s schema 1', {
    hint: 'Push the image again with a current tool: schema 1 does not say what is in its layers',
  });
}

function unusable(condition: string): UserError {
  return new UserError('IMAGE_PULL_FAILED', `Cannot use the manifest: ${condition}`);
}
