import * as z from 'zod';
import { operationListSchema, operationSchema } from '#contract/owner/operation.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { writeOperationEvents } from '../operation-events.ts';
import { sendStream } from '../send-stream.ts';
import { errors, streamed } from './responses.ts';

const params = z.object({ id: z.string() });

/** What takes long: running now, or finished a while ago. */
export function addOperationRoutes(api: Api, options: RouteOptions): void {
  const { operations } = options.services;
  addOperationEvents(api, options);

  api.get(
    '/v1/operations',
    {
      schema: {
        operationId: 'listOperations',
        summary: 'Operations, oldest first',
        response: { 200: operationListSchema, ...errors },
      },
    },
    () => ({ operations: operations.list() }),
  );

  api.get(
    '/v1/operations/:id',
    {
      schema: {
        operationId: 'getOperation',
        summary: 'One operation as it is now',
        params,
        response: { 200: operationSchema, ...errors },
      },
    },
    (request) => operations.get(request.params.id),
  );

  api.post(
    '/v1/operations/:id/cancel',
    {
      schema: {
        operationId: 'cancelOperation',
        summary: 'Asks an operation to stop; answers when it has rolled back',
        params,
        response: { 200: operationSchema, ...errors },
      },
    },
    (request) => operations.cancel(request.params.id),
  );
}

function addOperationEvents(api: Api, { services, closing, log }: RouteOptions): void {
  api.get(
    '/v1/operations/:id/events',
    {
      schema: {
        operationId: 'watchOperation',
        summary:
          'Events named "operation", each with the whole operation as JSON; ends after the one with a final status',
        params,
        response: streamed('text/event-stream', 'server-sent events'),
      },
    },
    (request, reply) => {
      const signal = AbortSignal.any([request.signal, closing]);
      const events = services.operations.events(request.params.id, { signal });
      sendStream(reply, {
        contentType: 'text/event-stream',
        chunks: writeOperationEvents(events, signal),
        log,
      });
    },
  );
}
