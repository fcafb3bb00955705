import * as z from 'zod';
import { vmStateSchema } from './vm.ts';

/**
 * `state`: it went from one state to another. `changed`: of what it is made of, or a port was published. `stale`: nobody used it, so it is
 * being stopped.
 */
export const vmEventKindSchema = z.enum(['created', 'state', 'renamed', 'changed', 'stale', 'removed']);
export type VmEventKind = z.infer<typeof vmEventKindSchema>;

/** What an event says besides who and when; each field only where it applies. */
export const vmEventDetailSchema = z.object({
  state: vmStateSchema.optional().describe('of `created` and `state`: its state from then on'),
  previousState: vmStateSchema.optional().describe('of `state`'),
  previousName: z.string().optional().describe('of `renamed`'),
  changed: z.array(z.string()).optional().describe('of `changed`: `vcpus`, `memoryMiB`, `published`, …'),
  idleMs: z.number().optional().describe('of `stale`: for how long nobody used it'),
  error: z.object({ code: z.string(), message: z.string() }).optional().describe('why, where it is known'),
});
export type VmEventDetail = z.infer<typeof vmEventDetailSchema>;

/** Something that happened to a VM. The daemon keeps the newest 10,000, also of VMs that are gone. */
export const vmEventSchema = z.object({
  seq: z.number().int().describe('grows; never used twice'),
  at: z.iso.datetime(),
  kind: vmEventKindSchema,
  vm: z.object({ id: z.string(), name: z.string().describe('as it was called then') }),
  ...vmEventDetailSchema.shape,
});
export type VmEvent = z.infer<typeof vmEventSchema>;

export const vmEventListSchema = z.object({ events: z.array(vmEventSchema) });

/**
 * Query of `GET /v1/events`. With `follow=true` the answer is a server-sent event stream whose every event (`event: vm`, its id the
 * sequence number) carries one of them, and which goes on until the client leaves.
 */
export const eventsQuerySchema = z.strictObject({
  vm: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('only of these VMs; the full name or id of one that is gone'),
  since: z.iso.datetime().optional().describe('none that happened before'),
  after: z.coerce.number().int().min(0).optional().describe('only those after this sequence number'),
  limit: z.coerce.number().int().min(0).optional().describe('only so many of the newest'),
  follow: z.enum(['true', 'false']).optional(),
});
