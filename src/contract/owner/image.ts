import * as z from 'zod';

export const imageSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Where it came from: `recipe:debian-bookworm`. */
  source: z.string(),
  architecture: z.enum(['x86_64', 'aarch64']),
  /** Size of the file system in it. */
  virtualBytes: z.number().int(),
  /** What it takes on the host. */
  allocatedBytes: z.number().int(),
  createdAt: z.iso.datetime(),
});
export type Image = z.infer<typeof imageSchema>;

/** An image that can be made but is not there yet. */
export const availableImageSchema = z.object({
  name: z.string(),
  description: z.string(),
  pulled: z.boolean(),
});
export type AvailableImage = z.infer<typeof availableImageSchema>;

export const imageListSchema = z.object({
  images: z.array(imageSchema),
  available: z.array(availableImageSchema),
});
