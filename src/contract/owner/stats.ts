import * as z from 'zod';

/** How many samples the daemon keeps of each VM. */
export const MAX_STATS_HISTORY = 360;

const bytes = z.number().int().min(0);

const machineStatsSchema = z.object({
  cpuMs: z.number().min(0).describe('processor time since the machine was launched'),
  cpuPercent: z.number().min(0).optional().describe('of one core, since the sample before'),
  rssBytes: bytes.optional(),
  pssBytes: bytes
    .optional()
    .describe('with what is shared divided among the sharers; only in a sample that was asked for'),
  writtenBytes: bytes.optional().describe("to the host's disks since the machine was launched"),
});

const diskStatsSchema = z.object({
  virtualBytes: bytes.describe('as the guest sees it'),
  allocatedBytes: bytes.describe('on the host for this VM alone'),
});

/** Everything here is the guest's word. */
const guestStatsSchema = z.object({
  load: z.tuple([z.number(), z.number(), z.number()]).describe('of 1, 5 and 15 minutes'),
  uptimeMs: z.number(),
  processes: z.number(),
  memoryTotalBytes: bytes,
  memoryAvailableBytes: bytes,
  diskTotalBytes: bytes.optional().describe('of the file system at /'),
  diskAvailableBytes: bytes.optional(),
  receivedBytes: bytes.optional().describe('by eth0 since the guest booted'),
  sentBytes: bytes.optional(),
});

/** One measurement of a VM that runs. A part that could not be had in time is left out: a guest that hangs, a process that ended. */
export const statsSampleSchema = z.object({
  at: z.iso.datetime(),
  uptimeMs: z.number().min(0).describe('since the VM was started'),
  memoryLimitBytes: bytes.describe("the guest's memory"),
  machine: machineStatsSchema.optional().describe("what the host's kernel says of the hypervisor's process"),
  disk: diskStatsSchema.optional(),
  guest: guestStatsSchema.optional().describe('what the agent says'),
});
export type StatsSample = z.infer<typeof statsSampleSchema>;

export const vmStatsSchema = statsSampleSchema.extend({ vm: z.object({ id: z.string(), name: z.string() }) });
export type VmStats = z.infer<typeof vmStatsSchema>;

/** `history`: samples of the background poll, oldest first. */
export const vmStatsReportSchema = vmStatsSchema.extend({ history: z.array(statsSampleSchema).optional() });
export type VmStatsReport = z.infer<typeof vmStatsReportSchema>;

export const vmStatsQuerySchema = z.strictObject({
  history: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_STATS_HISTORY)
    .optional()
    .describe('also give so many of the samples that were taken before'),
});

export const vmStatsListSchema = z.object({ vms: z.array(vmStatsSchema) });
