import { logsQuerySchema } from '#contract/owner/vm.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { readConsoleLog } from '../console-log.ts';
import { sendStream } from '../send-stream.ts';
import { streamed } from './responses.ts';
import { vmParams } from './vm-routes.ts';

const DEFAULT_TAIL_BYTES = 65_536;

export function addVmLogRoute(api: Api, { services: { vms }, closing, log }: RouteOptions): void {
  api.get(
    '/v1/vms/:vm/logs',
    {
      schema: {
        operationId: 'getVmLogs',
        summary:
          'What the guest wrote to its serial console; with follow=true until the VM is deleted or the client leaves',
        params: vmParams,
        querystring: logsQuerySchema,
        response: streamed('text/plain', 'bytes of the console'),
      },
    },
    (request, reply) => {
      const { tailBytes = DEFAULT_TAIL_BYTES, follow } = request.query;
      // By its id from here on: while this goes on another VM may get the name.
      const { id } = vms.get(request.params.vm);
      const path = vms.consoleLogPath(id);
      const signal = AbortSignal.any([request.signal, closing]);
      const isGone = () => !vms.list().some((vm) => vm.id === id);
      const chunks = readConsoleLog(path, {
        tailBytes,
        follow: follow === 'true' ? { isGone, signal } : undefined,
      });
      sendStream(reply, { contentType: 'text/plain; charset=utf-8', chunks, log });
    },
  );
}
