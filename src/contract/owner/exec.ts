import * as z from 'zod';

/** Payload of `OPEN`; how the session goes is told in exec-protocol.ts. */
export const execRequestSchema = z.strictObject({
  argv: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()).optional().describe("added to the VM's"),
  cwd: z.string().optional().describe("default: the VM's, as its image says, else the home of the user"),
  user: z
    .string()
    .optional()
    .describe("name, uid, name:group or uid:gid; default: the VM's, as its image says, else root"),
  tty: z.boolean().optional(),
  rows: z.number().int().min(1).max(65_535).optional(),
  columns: z.number().int().min(1).max(65_535).optional(),
});
export type ExecRequest = z.infer<typeof execRequestSchema>;

/** Payload of `OPENED`. */
export const execStartedSchema = z.object({ pid: z.number().int() });
export type ExecStarted = z.infer<typeof execStartedSchema>;

/** Payload of `RESULT`. Exactly one of the two is there. */
export const execResultSchema = z.object({
  exitCode: z.number().int().optional(),
  signal: z.number().int().optional(),
});
export type ExecResult = z.infer<typeof execResultSchema>;
