import * as z from 'zod';
import { LayerFault } from '#oci/layers/layer-fault.ts';
import { IMAGE_NAME_PATTERN, runConfigSchema } from '#contract/owner/image.ts';
import { KERNEL_NAME } from '#contract/owner/kernel.ts';

/** The two members of a bundle; the other one is `rootfs.ext4`. */
export const MANIFEST_FILE = 'manifest.json';
export const MAX_MANIFEST_BYTES = 2 ** 20;

const bundleManifestSchema = z.object({
  /** Of the format. */
  version: z.literal(1),
  name: z.string().regex(IMAGE_NAME_PATTERN),
  architecture: z.enum(['x86_64', 'aarch64']),
  createdAt: z.iso.datetime(),
  rootfs: z.object({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.number().int().min(1),
  }),
  /** How its publisher wants it run. */
  config: runConfigSchema.optional(),
  /** What it was made for: a hint, because a bundle holds no kernel. */
  kernel: z.object({ name: z.string().regex(KERNEL_NAME) }).optional(),
});
export type BundleManifest = z.infer<typeof bundleManifestSchema>;

/** @throws LayerFault */
export function parseBundleManifest(bytes: Buffer): BundleManifest {
  const result = bundleManifestSchema.safeParse(parseJson(bytes));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new LayerFault(
    `its manifest.json cannot be used: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

/** The same, undefined for one that cannot be used. */
export function findBundleManifest(bytes: Buffer): BundleManifest | undefined {
  return bundleManifestSchema.safeParse(parseJson(bytes)).data;
}

/** Whether a manifest.json is meant to be that of a bundle; container images have one too. */
export function looksLikeBundleManifest(bytes: Buffer): boolean {
  const document = parseJson(bytes);
  return typeof document === 'object' && document !== null && 'rootfs' in document && 'version' in document;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // which no schema takes
  }
}
