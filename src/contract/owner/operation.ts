import * as z from 'zod';
import { errorBodySchema } from './error.ts';
import { imageSchema, workSeedSchema } from './image.ts';
import { imageBundleSchema } from './image-bundle.ts';
import { kernelSchema } from './kernel.ts';
import { stopOutcomeSchema, vmChangeSchema, vmSchema } from './vm.ts';

export const operationKindSchema = z.enum([
  'vm.create',
  'vm.start',
  'vm.stop',
  'vm.restart',
  'vm.kill',
  'vm.set',
  'vm.delete',
  'image.pull',
  'image.import',
  'image.promote',
  'image.export',
  'image.commit',
  'image.build',
  'image.bundle',
  'image.seed',
  'kernel.pull',
  'kernel.import',
]);
export type OperationKind = z.infer<typeof operationKindSchema>;

export const operationStatusSchema = z.enum(['running', 'succeeded', 'failed', 'cancelled']);
export type OperationStatus = z.infer<typeof operationStatusSchema>;

export const progressSchema = z.object({
  done: z.number(),
  total: z.number().optional(),
  unit: z.enum(['bytes', 'items']),
});
export type Progress = z.infer<typeof progressSchema>;

/** `vm`: as it is after the operation, unless that was its deletion. `stop`: of `vm.stop`, `vm.restart` and `vm.kill`.
 * `waitedMs`: of a stop or restart that killed, how long it had waited for the guest to power off. `atNextStart`: of `vm.set`, what does not take effect before. `image`: of `image.…`. `workSeed`: of `image.seed`. `bundle`: of `image.bundle`. `kernel`: of `kernel.…`. */
export const operationResultSchema = z.object({
  vm: vmSchema.optional(),
  stop: stopOutcomeSchema.optional(),
  waitedMs: z.number().int().optional(),
  atNextStart: z.array(vmChangeSchema).optional(),
  image: imageSchema.optional(),
  workSeed: workSeedSchema.optional(),
  bundle: imageBundleSchema.optional(),
  kernel: kernelSchema.optional(),
});
export type OperationResult = z.infer<typeof operationResultSchema>;

/**
 * Anything that can take longer than a second. `GET /v1/operations/{id}/events` is a server-sent event stream whose every
 * event (`event: operation`) carries the whole operation as it is now; the stream ends after the one with a final status.
 * Leaving the stream does not cancel the operation, `POST /v1/operations/{id}/cancel` does.
 */
export const operationSchema = z.object({
  id: z.string(),
  kind: operationKindSchema,
  status: operationStatusSchema,
  vm: z.object({ id: z.string(), name: z.string() }).optional(),
  /** Name of the step that runs: `resolve-image`, `create-disk`, `start-network`, `launch-machine`, `wait-for-agent`, … */
  stage: z.string(),
  /** What the step is doing at the moment, for people. */
  detail: z.string().optional(),
  progress: progressSchema.optional(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  result: operationResultSchema.optional(),
  error: errorBodySchema.shape.error.optional(),
});
export type Operation = z.infer<typeof operationSchema>;

export const operationListSchema = z.object({ operations: z.array(operationSchema) });
