import { vmStatsListSchema, vmStatsQuerySchema, vmStatsReportSchema } from '#contract/owner/stats.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { errors } from './responses.ts';
import { vmParams } from './vm-routes.ts';

/** What running VMs use. */
export function addStatsRoutes(api: Api, { services: { stats }, closing }: RouteOptions): void {
  api.get(
    '/v1/stats',
    {
      schema: {
        operationId: 'listVmStats',
        summary: 'What each running VM uses, measured now',
        response: { 200: vmStatsListSchema, ...errors },
      },
    },
    (request) => stats.list({ signal: AbortSignal.any([request.signal, closing]) }).then((vms) => ({ vms })),
  );

  api.get(
    '/v1/vms/:vm/stats',
    {
      schema: {
        operationId: 'getVmStats',
        summary: 'What a running VM uses, measured now',
        params: vmParams,
        querystring: vmStatsQuerySchema,
        response: { 200: vmStatsReportSchema, ...errors },
      },
    },
    (request) =>
      stats.get(request.params.vm, {
        ...request.query,
        signal: AbortSignal.any([request.signal, closing]),
      }),
  );
}
