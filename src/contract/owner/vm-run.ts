import * as z from 'zod';
import { runConfigSchema } from './image.ts';
import { restartPolicySchema } from './service.ts';

/**
 * How a VM is run: what its image said when the VM was made, with what its maker changed. Commands in the VM get its environment, its
 * working folder and its user, where they do not say otherwise.
 */
export const vmRunSchema = runConfigSchema.extend({
  /** Entrypoint and command together are started at each boot, and looked after by the agent. */
  isService: z.boolean(),
  /** Of the service. */
  restart: restartPolicySchema,
});
export type VmRun = z.infer<typeof vmRunSchema>;

const wordSchema = z.string().refine((text) => !text.includes('\0'), { error: 'holds a NUL byte' });

const variablesSchema = z.record(
  z.string().refine((name) => name !== '' && !/[=\0]/.test(name), { error: 'is not the name of a variable' }),
  wordSchema,
);

/** What the body of `POST /v1/vms` says of it; it goes before what the image says. */
export const runOverridesSchema = z.strictObject({
  entrypoint: z
    .array(wordSchema)
    .optional()
    .describe("instead of the image's, whose command goes with it; empty: none"),
  command: z.array(wordSchema).min(1).optional().describe("instead of the image's command"),
  env: variablesSchema.optional().describe("added to the image's"),
  cwd: wordSchema
    .refine((path) => path.startsWith('/'), { error: 'is not an absolute path' })
    .optional()
    .describe("working folder, instead of the image's"),
  user: wordSchema.min(1).optional().describe("name, uid, name:group or uid:gid, instead of the image's"),
  service: z
    .boolean()
    .optional()
    .describe(
      'start entrypoint and command at each boot; default true. false: whoever makes the VM runs them',
    ),
  restart: restartPolicySchema.optional().describe('of the service; default on-failure'),
});
export type RunOverrides = z.infer<typeof runOverridesSchema>;
