import * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import { isDigest } from './digest.ts';
import { MAX_LAYERS } from './manifest.ts';
import { parseDocument } from './parse-document.ts';

/** What an image says about how it is run. Lists are empty and texts '' where it says nothing. */
export interface ImageConfig {
  os: string;
  architecture: string;
  variant: string | undefined;
  entrypoint: string[];
  cmd: string[];
  /** `NAME=value`. */
  env: string[];
  workingDir: string;
  /** `user`, `uid`, `user:group` or `uid:gid`. */
  user: string;
  labels: Record<string, string>;
  /** `80/tcp`, as the image spells it. */
  exposedPorts: string[];
  /** `SIGTERM` or a number; '' when it names none. */
  stopSignal: string;
  /** Digests of the uncompressed layers, oldest first. */
  diffIds: string[];
}

export const MAX_CONFIG_BYTES = 4 * 2 ** 20;
const MAX_WORDS = 10_000;

// All of it becomes arguments, variables and paths of a process, which end at a NUL byte.
const text = z.string().refine((value) => !value.includes('\0'), 'has a NUL byte');
const orElse = <T>(schema: z.ZodType<T>, fallback: T) =>
  schema.nullish().transform((value) => value ?? fallback);
const words = () => orElse(z.array(text).max(MAX_WORDS), []);

const runSchema = z.object({
  Entrypoint: words(),
  Cmd: words(),
  Env: words(),
  WorkingDir: orElse(text, ''),
  User: orElse(text, ''),
  Labels: orElse(z.record(text, text), {}),
  ExposedPorts: orElse(z.record(text, z.unknown()), {}),
  StopSignal: orElse(text, ''),
});

const configSchema = z.object({
  os: text,
  architecture: text,
  variant: text.nullish(),
  config: runSchema.nullish(),
  rootfs: z.object({
    type: z.literal('layers'),
    diff_ids: z.array(z.string().refine(isDigest, 'no sha256 digest')).max(MAX_LAYERS),
  }),
});

/**
 * The configuration blob of an image, OCI's or Docker's.
 *
 * @throws UserError IMAGE_PULL_FAILED when it has another shape
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const { config, rootfs, ...platform } = parseDocument(bytes, 'image configuration', configSchema);
  const run = config ?? runSchema.parse({});
  return {
    os: platform.os,
    architecture: platform.architecture,
    variant: platform.variant ?? undefined,
    entrypoint: run.Entrypoint,
    cmd: run.Cmd,
    env: run.Env,
    workingDir: run.WorkingDir,
    user: run.User,
    labels: run.Labels,
    exposedPorts: Object.keys(run.ExposedPorts),
    stopSignal: run.StopSignal,
    diffIds: rootfs.diff_ids,
  };
}

/** @throws UserError IMAGE_PULL_FAILED when configuration and manifest do not speak of the same layers */
export function assertLayerCount(config: ImageConfig, layers: number): void {
  if (config.diffIds.length === layers) return;
  throw new UserError(
    'IMAGE_PULL_FAILED',
    `Cannot use the image: its manifest has ${layers} layers, its configuration ${config.diffIds.length}`,
  );
}
