import * as z from 'zod';

/** In the order in which one is looked for. */
export const IMAGE_BUILDERS = ['buildah', 'podman', 'docker'] as const;
export const imageBuilderSchema = z.enum(IMAGE_BUILDERS);
export type ImageBuilderName = z.infer<typeof imageBuilderSchema>;

/** Variables of its caller that a builder is told of: where its daemon, its storage and its logins are. */
export const BUILDER_VARIABLE =
  /^(?:BUILDAH|BUILDKIT|BUILDX|CONTAINERS|DOCKER|PODMAN|REGISTRY|STORAGE)_[A-Z0-9_]{1,64}$/;

const pathSchema = z
  .string()
  .max(4096)
  .refine((path) => path.startsWith('/') && !path.includes('\0'), { error: 'is not an absolute path' });

/** Body of `POST /v1/images/build`. */
export const buildImageRequestSchema = z.strictObject({
  context: pathSchema.describe('the folder that the Dockerfile copies from'),
  file: pathSchema
    .optional()
    .describe('the Dockerfile; default: `Dockerfile` or `Containerfile` in the folder'),
  name: z.string().min(1).describe('what the image is to be called'),
  builder: imageBuilderSchema.optional().describe('default: the first of them that this host has'),
  buildArgs: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=[^\0]*$/, 'is not NAME=VALUE'))
    .max(256)
    .optional(),
  target: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
    .optional()
    .describe('the stage to stop at'),
  platform: z.string().optional().describe('`linux/amd64`: only that of this host works'),
  noCache: z.boolean().optional(),
  variables: z
    .record(z.string().regex(BUILDER_VARIABLE), z.string())
    .optional()
    .describe('environment of the builder besides the own one of the daemon'),
  sizeBytes: z
    .number()
    .int()
    .min(64 * 2 ** 20)
    .multipleOf(4096)
    .optional(),
  kernel: z.string().min(1).optional().describe('name or id of the kernel that its VMs boot'),
});
export type BuildImageRequest = z.infer<typeof buildImageRequestSchema>;
