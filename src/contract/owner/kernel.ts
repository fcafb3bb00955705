import * as z from 'zod';

/** Of a kernel: letters, digits, dot, plus, hyphen, underscore. */
export const KERNEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

export const kernelSchema = z.object({
  id: z.string(),
  /** `debian-6.1.0-40-cloud-amd64` */
  name: z.string(),
  /** As `uname -r` says in the guest. */
  release: z.string(),
  architecture: z.enum(['x86_64', 'aarch64']),
  /** Its ticks in a second (`CONFIG_HZ`), where its configuration was beside it. */
  timerHz: z.number().int().optional(),
  source: z.string(),
  /** The entry of the catalog that it was pulled by. */
  recipe: z.string().optional(),
  /** New VMs boot it. */
  isDefault: z.boolean(),
  allocatedBytes: z.number().int(),
  createdAt: z.iso.datetime(),
});
export type Kernel = z.infer<typeof kernelSchema>;

/** An entry of the catalog: a kernel that can be pulled by this name. */
export const availableKernelSchema = z.object({
  name: z.string(),
  description: z.string(),
  distribution: z.string(),
  suite: z.string(),
  /** The package that depends on the newest kernel. */
  package: z.string(),
  pulled: z.boolean(),
  /** What it takes on this host once it is pulled, about. */
  approximateBytes: z.number().int(),
});
export type AvailableKernel = z.infer<typeof availableKernelSchema>;

export const kernelListSchema = z.object({
  kernels: z.array(kernelSchema),
  available: z.array(availableKernelSchema),
});

export const kernelDetailsSchema = kernelSchema.extend({
  /** Where its files are. */
  folder: z.string(),
  /** It is there as an ELF image too, which starts without unpacking itself. */
  hasUncompressed: z.boolean(),
  /** What its initramfs loads, in this order; the rest is built in or on its modules disk. */
  bootModules: z.array(z.string()),
  usedBy: z.array(z.object({ id: z.string(), name: z.string() })),
});
export type KernelDetails = z.infer<typeof kernelDetailsSchema>;

export const pullKernelRequestSchema = z.strictObject({
  name: z.string().describe('an entry of the catalog'),
  force: z.boolean().optional().describe('look for a newer one, and make it anew in any case'),
});
export type PullKernelRequest = z.infer<typeof pullKernelRequestSchema>;

const absolutePath = z
  .string()
  .max(4096)
  .refine((path) => path.startsWith('/') && !path.includes('\0'), { error: 'is not an absolute path' });

export const importKernelRequestSchema = z.strictObject({
  name: z.string(),
  path: absolutePath.describe(
    'on the host of the daemon: a bzImage, an ELF vmlinux, a Debian package, or a folder with a kernel',
  ),
  modules: absolutePath.optional().describe('the folder that belongs at /lib/modules/RELEASE'),
});
export type ImportKernelRequest = z.infer<typeof importKernelRequestSchema>;
