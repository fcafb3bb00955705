import * as z from 'zod';

const pathSchema = z.string().startsWith('/').describe('absolute path, written as the user of the daemon');

/** Body of `POST /v1/images/{image}/bundle`. */
export const bundleImageRequestSchema = z.strictObject({
  path: pathSchema.describe('the file to be made; nothing may be there yet'),
  name: z.string().min(1).optional().describe("what a catalog is to call it; default: the image's name"),
  description: z.string().min(1).max(200).optional().describe('one line for people'),
});
export type BundleImageRequest = z.infer<typeof bundleImageRequestSchema>;

/** An entry for the `images` of a catalog. */
export const bundleEntrySchema = z.object({
  name: z.string(),
  kind: z.literal('bundle'),
  description: z.string(),
  architectures: z.array(z.string()),
  /** Size of the file system in it. */
  sizeBytes: z.number().int(),
  /** Relative to the catalog: the name of the file. */
  url: z.string(),
  sha256: z.string(),
  /** Of the packed file. */
  bytes: z.number().int(),
});

/** A bundle that was made, with what a catalog says of it. */
export const imageBundleSchema = z.object({ path: z.string(), entry: bundleEntrySchema });
export type ImageBundle = z.infer<typeof imageBundleSchema>;
