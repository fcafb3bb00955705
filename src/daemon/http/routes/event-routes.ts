import type * as z from 'zod';
import { eventsQuerySchema, vmEventListSchema } from '#contract/owner/event.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { sendStream } from '../send-stream.ts';
import type { EventSelection } from '../services.ts';
import { writeVmEvents } from '../vm-events.ts';
import { errors } from './responses.ts';

export function addEventRoutes(api: Api, { services: { events }, closing, log }: RouteOptions): void {
  api.get(
    '/v1/events',
    {
      schema: {
        operationId: 'getEvents',
        summary:
          'What happened to VMs, oldest first; with follow=true as server-sent events until the client leaves',
        querystring: eventsQuerySchema,
        response: { 200: vmEventListSchema, ...errors },
      },
    },
    (request, reply) => {
      const selection = selectionOf(request.query);
      if (request.query.follow !== 'true') return { events: events.list(selection) };
      const signal = AbortSignal.any([request.signal, closing]);
      const chunks = writeVmEvents(events.follow(selection, { signal }), signal);
      sendStream(reply, { contentType: 'text/event-stream', chunks, log });
      return undefined;
    },
  );
}

function selectionOf(query: z.infer<typeof eventsQuerySchema>): EventSelection {
  const { vm, since, after, limit } = query;
  return {
    vms: typeof vm === 'string' ? [vm] : vm,
    sinceMs: since === undefined ? undefined : Date.parse(since),
    after,
    limit,
  };
}
