import * as z from 'zod';
import { runOverridesSchema, vmRunSchema } from './vm-run.ts';

/** A DNS label: the name goes into the hostname, `.vm` names and paths, so it is never normalised. */
export const VM_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The image of a VM that names none. */
export const DEFAULT_IMAGE = 'debian-bookworm';

export const MIN_MEMORY_MIB = 128;
export const MAX_VCPUS = 64;

export const vmStateSchema = z.enum([
  'creating',
  'stopped',
  'starting',
  'running',
  'stopping',
  'deleting',
  'error',
]);
export type VmState = z.infer<typeof vmStateSchema>;

export const networkModeSchema = z.enum(['user', 'none']);
export type NetworkMode = z.infer<typeof networkModeSchema>;

const autoStopSchema = z
  .number()
  .int()
  .min(0)
  .max(366 * 86_400_000)
  .describe('stop the VM after so many ms in which nobody used it; 0: never; left out: as configured');

export const portProtocolSchema = z.enum(['tcp', 'udp']);
export type PortProtocol = z.infer<typeof portProtocolSchema>;

const portNumberSchema = z.number().int().min(1).max(65_535);

/** A port of the host that leads to one of the guest, for as long as the VM runs. */
export const publishedPortSchema = z.object({
  hostAddress: z.ipv4().describe('where it listens on the host; 127.0.0.1 unless another was asked for'),
  hostPort: portNumberSchema,
  guestPort: portNumberSchema,
  protocol: portProtocolSchema,
});
export type PublishedPort = z.infer<typeof publishedPortSchema>;

/** Body of `POST /v1/vms`. What is left out gets a default; the daemon answers with explicit values. */
export const createVmRequestSchema = runOverridesSchema.extend({
  name: z.string().optional().describe('DNS label; generated when left out'),
  image: z.string().min(1).optional().describe('name of an image; default debian-bookworm'),
  kernel: z.string().min(1).optional().describe("name or id of a kernel that is here; default: the image's"),
  vcpus: z.number().int().optional(),
  memoryMiB: z.number().int().optional(),
  diskBytes: z.number().int().optional().describe('size of the root disk as the guest sees it'),
  network: networkModeSchema.optional(),
  autoRemove: z.boolean().optional().describe('delete the VM when it stops'),
  start: z.boolean().optional().describe('default true'),
  autoStopAfterMs: autoStopSchema.optional(),
  publishAll: z
    .boolean()
    .optional()
    .describe('publish the ports that the image exposes on free ports of 127.0.0.1'),
});
export type CreateVmRequest = z.infer<typeof createVmRequestSchema>;

export const vmSpecSchema = z.object({
  image: z.string(),
  vcpus: z.number().int(),
  memoryMiB: z.number().int(),
  diskBytes: z.number().int(),
  network: networkModeSchema,
  autoRemove: z.boolean(),
  autoStopAfterMs: autoStopSchema.optional(),
});
export type VmSpec = z.infer<typeof vmSpecSchema>;

/** What of a VM can be changed. */
export const vmChangeSchema = z.enum([
  'name',
  'vcpus',
  'memoryMiB',
  'diskBytes',
  'network',
  'autoStopAfterMs',
  'autoRemove',
]);
export type VmChange = z.infer<typeof vmChangeSchema>;

export const vmSchema = z.object({
  id: z.string().describe('12 hexadecimal digits'),
  name: z.string(),
  state: vmStateSchema,
  spec: vmSpecSchema,
  imageId: z.string(),
  kernelId: z.string(),
  run: vmRunSchema.optional().describe('left out: neither its image nor its maker said anything'),
  bootId: z.string().optional().describe("the guest's /proc/sys/kernel/random/boot_id while it runs"),
  init: z.string().optional().describe('systemd, openrc, other or agent, while it runs'),
  address: z.string().optional().describe("the guest's own IPv4 address while it runs"),
  pid: z.number().int().optional().describe('of the hypervisor while it runs'),
  hostAddress: z
    .string()
    .optional()
    .describe("where the host's processes reach the VM, also what NAME.vm resolves to while it runs"),
  published: z.array(publishedPortSchema),
  pendingChanges: z
    .array(vmChangeSchema)
    .optional()
    .describe('what was changed while it runs and takes effect at its next start'),
  touchedAt: z.iso.datetime().optional().describe('when somebody last used it'),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().optional(),
  stoppedAt: z.iso.datetime().optional(),
  lastError: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type Vm = z.infer<typeof vmSchema>;

export const vmListSchema = z.object({ vms: z.array(vmSchema) });

/** Body of `POST /v1/vms/{vm}/stop`. */
export const stopVmRequestSchema = z.strictObject({
  timeoutMs: z.number().int().min(0).max(600_000).optional().describe('default 10000; 0 kills at once'),
});
export type StopVmRequest = z.infer<typeof stopVmRequestSchema>;

/** Body of `POST /v1/vms/{vm}/kill`. */
export const killSignalSchema = z.enum(['TERM', 'KILL', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'ABRT']);
export type KillSignal = z.infer<typeof killSignalSchema>;
export const killVmRequestSchema = z.strictObject({
  signal: killSignalSchema.optional().describe("sent to the hypervisor's process; default KILL"),
});
export type KillVmRequest = z.infer<typeof killVmRequestSchema>;

/** Body of `PATCH /v1/vms/{vm}`: what is named is changed, at once where that is possible, else at the next start. */
export const setVmRequestSchema = z.strictObject({
  name: z.string().optional(),
  vcpus: z.number().int().optional(),
  memoryMiB: z.number().int().optional(),
  diskBytes: z.number().int().optional().describe('disks only grow'),
  network: networkModeSchema.optional(),
  autoRemove: z.boolean().optional(),
  autoStopAfterMs: autoStopSchema.nullable().optional().describe('null: as configured'),
});
export type SetVmRequest = z.infer<typeof setVmRequestSchema>;

/**
 * What a stop did: `killed` when the guest did not power off in time. What a kill did: `still-running` when the machine
 * handled the signal and went on.
 */
export const stopOutcomeSchema = z.enum(['already-stopped', 'powered-off', 'killed', 'still-running']);
export type StopOutcome = z.infer<typeof stopOutcomeSchema>;

/** Query of `DELETE /v1/vms/{vm}`: with `force=true` a running VM is killed and deleted. */
export const deleteVmQuerySchema = z.strictObject({ force: z.enum(['true', 'false']).optional() });

/** `systemd`: the guest's init says that it has started everything. `port:N`: a process in the guest listens on TCP port N. */
export const waitConditionSchema = z.union([
  z.enum(['running', 'stopped', 'agent', 'systemd']),
  z.templateLiteral(['port:', z.number().int().min(1).max(65_535)]),
]);
export type WaitCondition = z.infer<typeof waitConditionSchema>;

/** Query of `GET /v1/vms/{vm}/wait`. Answers with the VM once the condition holds; 504 `GUEST_NOT_ANSWERING` after the time. */
export const waitVmQuerySchema = z.strictObject({
  for: waitConditionSchema.optional().describe('default stopped'),
  timeoutMs: z.coerce.number().int().min(0).max(86_400_000).optional(),
});

/** Query of `GET /v1/vms/{vm}/logs`: the serial console, as text/plain; with `follow=true` it goes on until the client leaves. */
export const logsQuerySchema = z.strictObject({
  tailBytes: z.coerce.number().int().min(0).max(16_777_216).optional().describe('default 65536'),
  follow: z.enum(['true', 'false']).optional(),
});

export const pingSchema = z.object({ roundTripMs: z.number(), bootId: z.string() });
export type Ping = z.infer<typeof pingSchema>;
