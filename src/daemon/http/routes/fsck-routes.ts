import { fsckRepairReportSchema, fsckReportSchema } from '#contract/owner/fsck.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { errors } from './responses.ts';

/** What the store says against what is really there. */
export function addFsckRoutes(api: Api, { services, closing }: RouteOptions): void {
  api.get(
    '/v1/fsck',
    {
      schema: {
        operationId: 'checkStore',
        summary:
          'Compares the store with processes and files, and lists what belongs to nothing or is damaged',
        response: { 200: fsckReportSchema, ...errors },
      },
    },
    () => services.fsck.check(),
  );

  api.post(
    '/v1/fsck/repair',
    {
      schema: {
        operationId: 'repairStore',
        summary: 'Repairs what the check finds, as each finding says; never removes a finished disk',
        response: { 200: fsckRepairReportSchema, ...errors },
      },
    },
    (request) => services.fsck.repair({ signal: AbortSignal.any([request.signal, closing]) }),
  );
}
