import * as z from 'zod';
import { doctorReportSchema, hostSchema } from '#contract/owner/host.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { errors } from './responses.ts';

const acceptedSchema = z.object({ pid: z.number().int() }).describe('the daemon is on its way down');

/** The daemon itself and the machine it runs on. */
export function addDaemonRoutes(api: Api, { services, closing, openApi }: RouteOptions): void {
  api.get(
    '/v1/host',
    {
      config: { anyBuild: true },
      schema: {
        operationId: 'getHost',
        summary: 'What the daemon is and what it found on this machine; served to clients of any build',
        response: { 200: hostSchema, ...errors },
      },
    },
    () => services.host.describe(),
  );

  api.get(
    '/v1/doctor',
    {
      schema: {
        operationId: 'getDoctorReport',
        summary: 'Checks everything that banger needs of this machine',
        response: { 200: doctorReportSchema, ...errors },
      },
    },
    (request) => services.host.doctor({ signal: AbortSignal.any([request.signal, closing]) }),
  );

  api.post(
    '/v1/daemon/stop',
    {
      config: { anyBuild: true },
      schema: {
        operationId: 'stopDaemon',
        summary: 'Stops the daemon and leaves the VMs running; served to clients of any build',
        response: { 202: acceptedSchema, ...errors },
      },
    },
    async (_request, reply) => {
      // The daemon closes its server as part of stopping: this answer must be out by then.
      reply.raw.once('close', () => services.requestShutdown());
      return reply.code(202).send({ pid: process.pid });
    },
  );

  api.get('/v1/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(await openApi()),
  );
}
