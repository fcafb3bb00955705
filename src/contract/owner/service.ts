import * as z from 'zod';
import { execResultSchema } from './exec.ts';

export const restartPolicySchema = z
  .enum(['no', 'on-failure', 'always'])
  .describe('on-failure: after a status other than 0 and after a signal');
export type RestartPolicy = z.infer<typeof restartPolicySchema>;

export const serviceStateSchema = z.enum([
  'starting',
  'running',
  'backoff',
  'stopping',
  'stopped',
  'exited',
  'failed',
]);
/**
 * `backoff`: it ended and is started again soon. `stopped`: as it was asked to be. `exited`: it ended by itself and its policy lets
 * it be. `failed`: it could not be executed.
 */
export type ServiceState = z.infer<typeof serviceStateSchema>;

/** What has become of the service of a machine since it was defined. */
export const serviceStatusSchema = z.object({
  state: serviceStateSchema,
  pid: z.number().int().optional().describe('in the guest, while it runs'),
  starts: z.number().int().describe('how often it was executed'),
  startedAt: z.iso.datetime().optional().describe('the last time'),
  endedAt: z.iso.datetime().optional().describe('the last time'),
  lastExit: execResultSchema.optional().describe('how it ended the last time'),
  failure: z
    .object({
      code: z.string().describe('as the guest says it: NOT_FOUND, DENIED, INVALID, IO'),
      message: z.string(),
    })
    .optional()
    .describe('why it could not be executed'),
  restartInMs: z.number().int().optional().describe('while it is in backoff'),
});
export type ServiceStatus = z.infer<typeof serviceStatusSchema>;
