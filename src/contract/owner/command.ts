import * as z from 'zod';
import { execRequestSchema } from './exec.ts';

/** Body of `POST /v1/vms/{vm}/commands`. */
export const startCommandRequestSchema = execRequestSchema.extend({
  stdin: z
    .boolean()
    .optional()
    .describe('keep its input open for those who attach; otherwise it is empty. A tty always takes input'),
});
export type StartCommandRequest = z.infer<typeof startCommandRequestSchema>;

export const startedCommandSchema = z.object({
  id: z.number().int().describe('until the VM stops'),
  pid: z.number().int(),
});
export type StartedCommand = z.infer<typeof startedCommandSchema>;

/** A command that was started to run on without anybody who watches. */
export const detachedCommandSchema = z.object({
  id: z.number().int(),
  pid: z.number().int(),
  argv: z.array(z.string()).describe('to look at: control characters are replaced'),
  isArgvCut: z.boolean().describe('of long ones only the beginning is kept'),
  user: z.string().optional(),
  tty: z.boolean(),
  takesInput: z.boolean(),
  status: z.enum(['running', 'exited']),
  exitCode: z.number().int().optional(),
  signal: z.number().int().optional().describe('that ended it'),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  outputBytes: z.number().int().describe('all that it wrote so far'),
  keptFromByte: z.number().int().describe('what it wrote before is forgotten'),
  viewers: z.number().int().describe('how many are attached'),
});
export type DetachedCommand = z.infer<typeof detachedCommandSchema>;

export const commandListSchema = z.object({ commands: z.array(detachedCommandSchema) });

/** Body of `POST /v1/vms/{vm}/commands/{id}/signal`. */
export const signalCommandRequestSchema = z.strictObject({
  signal: z.number().int().min(1).max(64).describe('its number'),
});
export type SignalCommandRequest = z.infer<typeof signalCommandRequestSchema>;

const terminalSideSchema = z.number().int().min(1).max(65_535);

/** Payload of `OPEN` when attaching; how it goes is told in exec-protocol.ts. */
export const attachRequestSchema = z.strictObject({
  fromByte: z.number().int().min(0).optional().describe('default: as early as is kept'),
  tailLines: z.number().int().min(0).optional().describe('no more of the end than this'),
  stdin: z.boolean().optional().describe('send input'),
  rows: terminalSideSchema.optional(),
  columns: terminalSideSchema.optional(),
});
export type AttachRequest = z.infer<typeof attachRequestSchema>;

/** Payload of `OPENED` when attaching. */
export const attachedSchema = z.object({
  pid: z.number().int(),
  fromByte: z.number().int().describe('where the output that follows begins'),
  tty: z.boolean(),
  takesInput: z.boolean(),
});
export type Attached = z.infer<typeof attachedSchema>;
