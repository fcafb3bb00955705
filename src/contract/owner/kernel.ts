import * as z from 'zod';

export const kernelSchema = z.object({
  id: z.string(),
  /** `debian-6.1.0-40-cloud-amd64` */
  name: z.string(),
  /** As `uname -r` says in the guest. */
  release: z.string(),
  architecture: z.enum(['x86_64', 'aarch64']),
  source: z.string(),
  allocatedBytes: z.number().int(),
  createdAt: z.iso.datetime(),
});
export type Kernel = z.infer<typeof kernelSchema>;

export const kernelListSchema = z.object({ kernels: z.array(kernelSchema) });
