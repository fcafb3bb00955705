import * as z from 'zod';

export const hostSchema = z.object({
  build: z.object({ version: z.string(), commit: z.string(), builtAt: z.string() }),
  pid: z.number().int(),
  startedAt: z.iso.datetime(),
  hypervisor: z
    .object({
      driver: z.string(),
      version: z.string(),
      accelerator: z.enum(['kvm', 'tcg']),
      reason: z.string(),
    })
    .optional(),
  vms: z.object({ total: z.number().int(), running: z.number().int() }),
  paths: z.object({
    state: z.string(),
    cache: z.string(),
    runtime: z.string(),
    socket: z.string(),
    log: z.string(),
  }),
  memoryRssBytes: z.number().int(),
});
export type Host = z.infer<typeof hostSchema>;

export const doctorRowSchema = z.object({
  /** Stable: `kvm`, `hypervisor`, `network`, `disk-space`, … */
  check: z.string(),
  status: z.enum(['pass', 'warn', 'fail']),
  message: z.string(),
  hint: z.string().optional(),
});
export type DoctorRow = z.infer<typeof doctorRowSchema>;

/** What `doctor --fix` did; with `error` when it did not work. */
export const doctorFixSchema = z.object({
  check: z.string(),
  action: z.string(),
  error: z.string().optional(),
});
export type DoctorFix = z.infer<typeof doctorFixSchema>;

export const doctorReportSchema = z.object({ rows: z.array(doctorRowSchema) });
export type DoctorReport = z.infer<typeof doctorReportSchema>;

/** What an examination without the daemon says. */
export const examinationSchema = doctorReportSchema.extend({ fixes: z.array(doctorFixSchema) });
export type Examination = z.infer<typeof examinationSchema>;
