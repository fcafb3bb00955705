import * as z from 'zod';

/** What a fake machine's process is told: its last argument, as JSON. */
export const fakeMachinePlanSchema = z.object({
  id: z.string(),
  guestSocketPath: z.string(),
  consoleLogPath: z.string(),
  /** Before the machine exists. */
  startDelayMs: z.number().int(),
  disks: z.array(z.object({ serial: z.string(), path: z.string(), format: z.enum(['raw', 'qcow2']) })),
  /** The guest never boots: its socket accepts, and nobody answers. */
  isSilent: z.boolean(),
  /** Its console stays empty. */
  isLifeless: z.boolean(),
  /** Printed on stderr instead of starting. */
  startError: z.string().optional(),
  /** The machine ends by itself after so long. */
  endsAfterMs: z.number().int().optional(),
});

export type FakeMachinePlan = z.infer<typeof fakeMachinePlanSchema>;

/** The argument that tells a fake machine from all other processes. */
export function fakeMachineName(id: string): string {
  return `banger-fake-machine-${id}`;
}
