import * as z from 'zod';

/**
 * What an image may be called: words of letters, digits and `_`, joined by single `.`, `-`, `:`, `/` or `@`, as references to
 * registries are written. Twelve hexadecimal digits are an id.
 */
export const IMAGE_NAME_PATTERN =
  /^(?![0-9a-f]{12}$)(?=.{1,255}$)[A-Za-z0-9][A-Za-z0-9_]*(?:[.:/@-][A-Za-z0-9_]+|--+[A-Za-z0-9_]+)*$/;

/** How an image came here: built of a recipe, pulled from a registry, unpacked of a bundle, built of a Dockerfile, imported, made of a VM's disk, or a file of the user's used in place. */
export const imageKindSchema = z.enum(['recipe', 'oci', 'bundle', 'build', 'import', 'commit', 'register']);
export type ImageKind = z.infer<typeof imageKindSchema>;

/** How its publisher wants an image run, as OCI says. */
export const runConfigSchema = z.object({
  entrypoint: z.array(z.string()).optional(),
  cmd: z.array(z.string()).optional(),
  /** `NAME=value` */
  env: z.array(z.string()).optional(),
  workingDir: z.string().optional(),
  /** `name`, `uid`, `name:group`, … */
  user: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** `80/tcp` */
  exposedPorts: z.array(z.string()).optional(),
  stopSignal: z.string().optional(),
});
export type RunConfig = z.infer<typeof runConfigSchema>;

export const imageSchema = z.object({
  id: z.string(),
  /** The first of its names; the id of one that has none any more. */
  name: z.string(),
  /** All of them. Empty: it was deleted and only VMs keep it. */
  names: z.array(z.string()),
  kind: imageKindSchema,
  /** Where it came from: `recipe:debian-bookworm`, `oci:docker.io/library/alpine:latest`, `import:/home/me/rootfs.tar`. */
  source: z.string(),
  /** Of its manifest, of those that have one. */
  digest: z.string().optional(),
  config: runConfigSchema.optional(),
  /** Of a registered one: the file of the user's that is its root disk. */
  path: z.string().optional(),
  /** The kernel that its VMs boot; left out: the default one. */
  kernelId: z.string().optional(),
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
  /** How it is made: built of a recipe, unpacked of a bundle, or pulled from a registry. */
  kind: z.enum(['recipe', 'bundle', 'oci']),
  /** What has the entry: `built-in`, a path or a URL. */
  catalog: z.string(),
  /** What it is made of: `Debian bookworm`, the URL of a bundle, a reference. */
  origin: z.string(),
  /** What is fetched, where that is known. */
  downloadBytes: z.number().int().optional(),
  /** Size of the file system in it, where that is known. */
  sizeBytes: z.number().int().optional(),
  pulled: z.boolean(),
});
export type AvailableImage = z.infer<typeof availableImageSchema>;

/** Something of a catalog that does not count, and why. */
export const catalogProblemSchema = z.object({
  catalog: z.string(),
  /** Left out: it is about the whole catalog. */
  entry: z.string().optional(),
  problem: z.string(),
  /** What the catalog said before still counts. */
  isStale: z.boolean(),
});
export type CatalogProblem = z.infer<typeof catalogProblemSchema>;

export const imageListSchema = z.object({
  images: z.array(imageSchema),
  available: z.array(availableImageSchema),
  catalogProblems: z.array(catalogProblemSchema),
});
export type ImageList = z.infer<typeof imageListSchema>;

/** What work disks begin with: the image's `/root` as a file system of its own. */
export const workSeedSchema = z.object({
  /** Size of the file system in it. */
  virtualBytes: z.number().int(),
  /** What it takes on the host. */
  allocatedBytes: z.number().int(),
  /** Of the key that it lets in: `SHA256:…`. Left out: none was given. */
  keyFingerprint: z.string().optional(),
  createdAt: z.iso.datetime(),
});
export type WorkSeed = z.infer<typeof workSeedSchema>;

/** An image with the VMs that begin from it. */
export const imageDetailsSchema = imageSchema.extend({
  vms: z.array(z.object({ id: z.string(), name: z.string(), state: z.string() })),
  /** Null: none has been made yet. */
  workSeed: workSeedSchema.nullable(),
});
export type ImageDetails = z.infer<typeof imageDetailsSchema>;

const nameSchema = z.string().min(1).describe('what the image is to be called');
const pathSchema = z.string().startsWith('/').describe('absolute path, read as the user of the daemon');
const sizeSchema = z
  .number()
  .int()
  .min(64 * 2 ** 20)
  .multipleOf(4096)
  .describe('size of the file system; default 8 GiB, or what the content needs');
const kernelSchema = z.string().min(1).describe('name or id of the kernel that its VMs boot');

/** Body of `POST /v1/images/pull`. */
export const pullImageRequestSchema = z.strictObject({
  reference: z.string().min(1).describe('`alpine`, `ghcr.io/acme/tool@sha256:…`, or the name of a recipe'),
  name: nameSchema.optional(),
  insecureHttp: z.boolean().optional().describe('without encryption, from a registry on this machine'),
  sizeBytes: sizeSchema.optional(),
  kernel: kernelSchema.optional(),
});
export type PullImageRequest = z.infer<typeof pullImageRequestSchema>;

/** Body of `POST /v1/images/import`. */
export const importImageRequestSchema = z.strictObject({
  path: pathSchema.describe(
    'a bundle, a rootfs tar, a `docker save` tar, an OCI layout (folder or tar), or the folder of a root file system',
  ),
  name: nameSchema.optional().describe('what the image is to be called; only a bundle brings a name'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('of the file: anything else is refused unread'),
  sizeBytes: sizeSchema.optional(),
  kernel: kernelSchema.optional(),
});
export type ImportImageRequest = z.infer<typeof importImageRequestSchema>;

/** Body of `POST /v1/images/register`. */
export const registerImageRequestSchema = z.strictObject({
  path: pathSchema.describe('a raw ext4 file system; it is used in place and never written'),
  name: nameSchema,
  kernel: kernelSchema.optional(),
});
export type RegisterImageRequest = z.infer<typeof registerImageRequestSchema>;

/** Body of `POST /v1/images/commit`. */
export const commitImageRequestSchema = z.strictObject({
  vm: z.string().min(1).describe('id or name of a VM that is stopped'),
  name: nameSchema,
});
export type CommitImageRequest = z.infer<typeof commitImageRequestSchema>;

export const exportFormatSchema = z.enum(['oci', 'tar']);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

/** Body of `POST /v1/images/{image}/export`. */
export const exportImageRequestSchema = z.strictObject({
  path: pathSchema.describe('what is made; nothing may be there yet'),
  format: exportFormatSchema.describe(
    '`oci`: an OCI layout folder with one layer; `tar`: the root file system',
  ),
});
export type ExportImageRequest = z.infer<typeof exportImageRequestSchema>;

/** Body of `POST /v1/images/{image}/work-seed`. */
export const seedImageRequestSchema = z.strictObject({
  publicKey: z
    .string()
    .max(16_384)
    .optional()
    .describe('a key as OpenSSH writes it, which `.ssh/authorized_keys` is to have; without options'),
});
export type SeedImageRequest = z.infer<typeof seedImageRequestSchema>;

/** Body of `POST /v1/images/{image}/names`. */
export const tagImageRequestSchema = z.strictObject({ name: nameSchema });

export const deleteImageQuerySchema = z.object({
  force: z
    .enum(['true', 'false'])
    .default('false')
    .describe('also while stopped VMs use it, which keep its files'),
});

/** What became of an image that was deleted. */
export const deletedImageSchema = z.object({
  image: imageSchema,
  /** `untagged`: it has other names. `kept`: its files stay until these VMs are deleted. */
  outcome: z.enum(['deleted', 'untagged', 'kept']),
  vms: z.array(z.string()),
});
export type DeletedImage = z.infer<typeof deletedImageSchema>;

export const pruneCacheQuerySchema = z.object({
  dryRun: z.enum(['true', 'false']).default('false').describe('only say what would be removed'),
});

/** What a cleaning of the download cache removed, or would. */
export const prunedCacheSchema = z.object({ files: z.number().int(), bytes: z.number().int() });
export type PrunedCache = z.infer<typeof prunedCacheSchema>;
