import * as z from 'zod';
import { GiB, MiB } from '#base/sizes.ts';
import { IMAGE_NAME_PATTERN } from '#contract/owner/image.ts';
import { KERNEL_NAME } from '#contract/owner/kernel.ts';
import { familiarName } from '#oci/familiar-name.ts';

/** Of a bundle: packed, and again unpacked. */
export const MAX_BUNDLE_BYTES = 8 * GiB;
const MAX_ENTRIES = 1000;
const MAX_PACKAGES = 500;

/** A word that becomes an argument of apt and mmdebstrap. */
const wordSchema = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9+.-]*$/, 'is not a plain word');

const common = {
  name: z.string().transform(familiarName).pipe(z.string().regex(IMAGE_NAME_PATTERN, 'is no image name')),
  /** Shown in terminals. */
  description: z.string().regex(/^\P{C}{1,200}$/u, 'is not one line of at most 200 characters'),
  architectures: z.array(z.enum(['x86_64', 'aarch64'])).min(1),
};

/** What a distribution has signed; nothing that another key signed is taken, whatever the host trusts. */
const archiveSchema = {
  distribution: z.literal('debian'),
  suite: wordSchema,
  keyring: z.string().regex(/^\/usr\/share\/keyrings\/[\w-]+\.(?:gpg|pgp)$/, {
    error: 'is not a file in /usr/share/keyrings',
  }),
};

const fileSystemBytesSchema = z
  .number()
  .int()
  .min(64 * MiB)
  .multipleOf(4096);

const recipeSchema = z.strictObject({
  ...common,
  kind: z.literal('recipe'),
  sizeBytes: fileSystemBytesSchema,
  ...archiveSchema,
  packages: z.array(wordSchema).min(1).max(MAX_PACKAGES),
});

const bundleSchema = z.strictObject({
  ...common,
  kind: z.literal('bundle'),
  /** Size of the file system in it. */
  sizeBytes: fileSystemBytesSchema.max(MAX_BUNDLE_BYTES).optional(),
  /** Relative to the catalog, or complete. */
  url: z.string().min(1).max(2048),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not 64 hexadecimal digits'),
  /** Of the packed file. */
  bytes: z.number().int().min(1).max(MAX_BUNDLE_BYTES),
});

const ociSchema = z.strictObject({
  ...common,
  kind: z.literal('oci'),
  sizeBytes: fileSystemBytesSchema.optional(),
  reference: z.string().regex(/^[!-~]{1,255}$/, 'is no reference'),
});

export const imageEntrySchema = z.discriminatedUnion('kind', [recipeSchema, bundleSchema, ociSchema]);
export type WrittenImageEntry = z.infer<typeof imageEntrySchema>;

export const kernelEntrySchema = z.strictObject({
  ...common,
  name: z.string().regex(KERNEL_NAME, 'is no kernel name'),
  kind: z.literal('recipe'),
  approximateBytes: z.number().int().min(1),
  ...archiveSchema,
});
export type WrittenKernelEntry = z.infer<typeof kernelEntrySchema>;

/** The frame of a catalog; its entries are judged one by one, so that a broken one costs only itself. */
export const catalogSchema = z.strictObject({
  version: z.literal(1, 'must be 1'),
  images: z.array(z.unknown()).max(MAX_ENTRIES).default([]),
  kernels: z.array(z.unknown()).max(MAX_ENTRIES).default([]),
});
