import * as z from 'zod';
import {
  publishedPortListSchema,
  publishPortRequestSchema,
  unpublishPortQuerySchema,
  vmPortsSchema,
} from '#contract/owner/port.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { errors } from './responses.ts';
import { vmParams } from './vm-routes.ts';

const portParams = vmParams.extend({
  hostPort: z.coerce.number().int().min(1).max(65_535).describe("the host's side"),
});

export function addPortRoutes(api: Api, { services: { ports }, closing }: RouteOptions): void {
  api.get(
    '/v1/vms/:vm/ports',
    {
      schema: {
        operationId: 'listVmPorts',
        summary: 'What listens in the guest, how the host reaches it, and what is published',
        params: vmParams,
        response: { 200: vmPortsSchema, ...errors },
      },
    },
    (request) => ports.list(request.params.vm, { signal: AbortSignal.any([request.signal, closing]) }),
  );

  api.post(
    '/v1/vms/:vm/ports',
    {
      schema: {
        operationId: 'publishVmPort',
        summary: 'Lets a fixed port of the host lead to one of the guest whenever the VM runs',
        params: vmParams,
        body: publishPortRequestSchema,
        response: { 200: publishedPortListSchema, ...errors },
      },
    },
    async (request, reply) => {
      const signal = AbortSignal.any([request.signal, closing]);
      return reply.send({ published: await ports.publish(request.params.vm, request.body, { signal }) });
    },
  );

  api.delete(
    '/v1/vms/:vm/ports/:hostPort',
    {
      schema: {
        operationId: 'unpublishVmPort',
        summary: 'Ends that; answers with what was published',
        params: portParams,
        querystring: unpublishPortQuerySchema,
        response: { 200: publishedPortListSchema, ...errors },
      },
    },
    async (request, reply) => {
      const { vm, hostPort } = request.params;
      const signal = AbortSignal.any([request.signal, closing]);
      const port = { ...request.query, hostPort };
      return reply.send({ published: await ports.unpublish(vm, port, { signal }) });
    },
  );
}
