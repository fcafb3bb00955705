import * as z from 'zod';

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

/** Body of `POST /v1/vms`. What is left out gets a default; the daemon answers with explicit values. */
export const createVmRequestSchema = z.strictObject({
  name: z.string().optional().describe('DNS label; generated when left out'),
  image: z.string().min(1).optional().describe('name of an image; default debian-bookworm'),
  vcpus: z.number().int().optional(),
  memoryMiB: z.number().int().optional(),
  diskBytes: z.number().int().optional().describe('size of the root disk as the guest sees it'),
  network: networkModeSchema.optional(),
  autoRemove: z.boolean().optional().describe('delete the VM when it stops'),
  start: z.boolean().optional().describe('default true'),
});
export type CreateVmRequest = z.infer<typeof createVmRequestSchema>;

export const vmSpecSchema = z.object({
  image: z.string(),
  vcpus: z.number().int(),
  memoryMiB: z.number().int(),
  diskBytes: z.number().int(),
  network: networkModeSchema,
  autoRemove: z.boolean(),
});
export type VmSpec = z.infer<typeof vmSpecSchema>;

export const vmSchema = z.object({
  id: z.string().describe('12 hexadecimal digits'),
  name: z.string(),
  state: vmStateSchema,
  spec: vmSpecSchema,
  imageId: z.string(),
  kernelId: z.string(),
  bootId: z.string().optional().describe("the guest's /proc/sys/kernel/random/boot_id while it runs"),
  init: z.string().optional().describe('systemd, openrc, other or agent, while it runs'),
  address: z.string().optional().describe("the guest's own IPv4 address while it runs"),
  pid: z.number().int().optional().describe('of the hypervisor while it runs'),
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

/** What a stop did: `killed` when the guest did not power off in time. */
export const stopOutcomeSchema = z.enum(['already-stopped', 'powered-off', 'killed']);
export type StopOutcome = z.infer<typeof stopOutcomeSchema>;

/** Query of `DELETE /v1/vms/{vm}`: with `force=true` a running VM is killed and deleted. */
export const deleteVmQuerySchema = z.strictObject({ force: z.enum(['true', 'false']).optional() });

export const waitConditionSchema = z.enum(['running', 'stopped', 'agent']);
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
