import * as z from 'zod';

/** What can be left or damaged. Stable. */
export const findingKindSchema = z.enum([
  'machine-without-vm',
  'second-machine',
  'network-without-machine',
  'network-lost',
  'runtime-folder-left',
  'folder-without-row',
  'temporary-file',
  'disk-damaged',
  'running-without-machine',
  'unfinished-state',
  'handles-wrong',
  'row-damaged',
  'temporary-folder',
  'image-without-row',
  'image-without-files',
  'kernel-without-row',
  'kernel-without-files',
  'work-seed-unused',
  'orphan',
]);
export type FindingKind = z.infer<typeof findingKindSchema>;

/** `info`: worth knowing, nothing is wrong. `leftover`: belongs to nothing any more. `damage`: something that is needed is not as it should be. */
export const findingSeveritySchema = z.enum(['info', 'leftover', 'damage']);

/** Something that the store says and that is not there, or that is there and that nothing says. */
export const findingSchema = z.object({
  kind: findingKindSchema,
  severity: findingSeveritySchema,
  vm: z.object({ id: z.string(), name: z.string().optional() }).optional(),
  path: z.string().optional(),
  pid: z.number().int().optional(),
  reason: z.string().describe('why it is a finding'),
  repair: z.string().optional().describe('what a repair does; left out: it does nothing'),
  hint: z.string().optional().describe('what its owner can do'),
});
export type Finding = z.infer<typeof findingSchema>;

/** Body of `GET /v1/fsck`. */
export const fsckReportSchema = z.object({ findings: z.array(findingSchema) });
export type FsckReport = z.infer<typeof fsckReportSchema>;

/** Body of `POST /v1/fsck/repair`. */
export const fsckRepairReportSchema = z.object({
  repaired: z.array(findingSchema),
  failed: z.array(z.object({ finding: findingSchema, message: z.string() })),
  remaining: z.array(findingSchema).describe('what a check finds afterwards'),
});
export type FsckRepairReport = z.infer<typeof fsckRepairReportSchema>;
