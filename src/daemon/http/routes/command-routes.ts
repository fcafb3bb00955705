import * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import {
  commandListSchema,
  signalCommandRequestSchema,
  startCommandRequestSchema,
  startedCommandSchema,
} from '#contract/owner/command.ts';
import { EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { errors } from './responses.ts';
import { vmParams } from './vm-routes.ts';

const commandParams = vmParams.extend({
  command: z.coerce.number().int().min(1).max(999_999_999).describe('number of a detached command'),
});

/** There is nothing more to say. */
const done = { 200: z.object({}), ...errors } as const;

/** Commands that run on without anybody who watches. */
export function addCommandRoutes(api: Api, options: RouteOptions): void {
  addCollectionRoutes(api, options);
  addMemberRoutes(api, options);
}

function addCollectionRoutes(api: Api, { services, closing }: RouteOptions): void {
  api.post(
    '/v1/vms/:vm/commands',
    {
      schema: {
        operationId: 'startCommand',
        summary: 'Starts a command that runs on by itself, until it ends or the VM stops',
        params: vmParams,
        body: startCommandRequestSchema,
        response: { 201: startedCommandSchema, ...errors },
      },
    },
    async (request, reply) => {
      const signal = AbortSignal.any([request.signal, closing]);
      return reply.code(201).send(await services.commands.start(request.params.vm, request.body, { signal }));
    },
  );

  api.get(
    '/v1/vms/:vm/commands',
    {
      schema: {
        operationId: 'listCommands',
        summary: 'The detached commands that run and the last that ended, the oldest first',
        params: vmParams,
        response: { 200: commandListSchema, ...errors },
      },
    },
    async (request, reply) => {
      const signal = AbortSignal.any([request.signal, closing]);
      return reply.send({ commands: await services.commands.list(request.params.vm, { signal }) });
    },
  );
}

function addMemberRoutes(api: Api, { services, closing }: RouteOptions): void {
  // Only what comes without an upgrade gets here; the others never become a request (exec-upgrade.ts).
  api.get(
    '/v1/vms/:vm/commands/:command/attach',
    {
      schema: {
        operationId: 'attachToCommand',
        summary: `Shows a detached command: needs "Upgrade: ${EXEC_UPGRADE}", then both ends speak the frames of docs/guest-protocol.md`,
        params: commandParams,
        response: errors,
      },
    },
    () => {
      throw new UserError(
        'INVALID_ARGUMENT',
        `Cannot attach to a command: the request has no header "Upgrade: ${EXEC_UPGRADE}"`,
      );
    },
  );

  api.post(
    '/v1/vms/:vm/commands/:command/signal',
    {
      schema: {
        operationId: 'signalCommand',
        summary: 'Sends a signal to the process group of a detached command',
        params: commandParams,
        body: signalCommandRequestSchema,
        response: done,
      },
    },
    async (request, reply) => {
      const { vm, command } = request.params;
      const signal = AbortSignal.any([request.signal, closing]);
      await services.commands.signal(vm, { id: command, signal: request.body.signal }, { signal });
      return reply.send({});
    },
  );

  api.delete(
    '/v1/vms/:vm/commands/:command',
    {
      schema: {
        operationId: 'removeCommand',
        summary: 'Forgets a detached command that has ended, and its output',
        params: commandParams,
        response: done,
      },
    },
    async (request, reply) => {
      const { vm, command } = request.params;
      await services.commands.remove(vm, command, { signal: AbortSignal.any([request.signal, closing]) });
      return reply.send({});
    },
  );
}
