import * as z from 'zod';
import { portProtocolSchema, publishedPortSchema, vmStateSchema } from './vm.ts';

export const portSchemeSchema = z.enum(['http', 'https']);
export type PortScheme = z.infer<typeof portSchemeSchema>;

/** A port of the guest on which a process listens. */
export const guestPortSchema = z.object({
  protocol: portProtocolSchema,
  port: z.number().int(),
  addresses: z.array(z.string()).describe('the addresses in the guest that it is bound to'),
  process: z
    .object({ name: z.string().optional(), pid: z.number().int().optional() })
    .optional()
    .describe('who listens, as the guest says'),
  endpoint: z.string().optional().describe('ADDRESS:PORT on the host that leads there now'),
  name: z.string().optional().describe('NAME.vm:PORT, the same for those who ask the DNS server'),
  scheme: portSchemeSchema.optional().describe('what it seems to speak'),
  published: z
    .array(z.string())
    .describe('ADDRESS:PORT on the host where it was published and is reachable now'),
  reason: z.string().optional().describe('why there is no endpoint'),
});
export type GuestPort = z.infer<typeof guestPortSchema>;

export const publishedPortStateSchema = publishedPortSchema.extend({
  active: z.boolean().describe('the host listens there now'),
  reason: z.string().optional().describe('why not'),
});
export type PublishedPortState = z.infer<typeof publishedPortStateSchema>;

/** Answer of `GET /v1/vms/{vm}/ports`. */
export const vmPortsSchema = z.object({
  id: z.string(),
  vm: z.string().describe('name of the VM'),
  state: vmStateSchema,
  hostAddress: z.string().optional().describe('of the VM on the loopback of the host'),
  ports: z.array(guestPortSchema).describe('empty unless the VM runs'),
  published: z.array(publishedPortStateSchema),
});
export type VmPorts = z.infer<typeof vmPortsSchema>;

/** Body of `POST /v1/vms/{vm}/ports`. */
export const publishPortRequestSchema = z.strictObject({
  hostAddress: publishedPortSchema.shape.hostAddress.optional().describe('default 127.0.0.1'),
  hostPort: publishedPortSchema.shape.hostPort,
  guestPort: publishedPortSchema.shape.guestPort,
  protocol: portProtocolSchema.optional().describe('default tcp'),
});
export type PublishPortRequest = z.infer<typeof publishPortRequestSchema>;

/** Query of `DELETE /v1/vms/{vm}/ports/{hostPort}`. */
export const unpublishPortQuerySchema = z.strictObject({
  hostAddress: publishedPortSchema.shape.hostAddress.optional().describe('left out: on every address'),
  protocol: portProtocolSchema.optional().describe('default tcp'),
});
export type UnpublishPortQuery = z.infer<typeof unpublishPortQuerySchema>;

export const publishedPortListSchema = z.object({ published: z.array(publishedPortStateSchema) });
