import * as z from 'zod';
import {
  createVmRequestSchema,
  deleteVmQuerySchema,
  killVmRequestSchema,
  pingSchema,
  setVmRequestSchema,
  stopVmRequestSchema,
  vmListSchema,
  vmSchema,
  waitVmQuerySchema,
} from '#contract/owner/vm.ts';
import { serviceStatusSchema } from '#contract/owner/service.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { waitForVm } from '../wait-for-vm.ts';
import { accepted, errors } from './responses.ts';

export const vmParams = z.object({
  vm: z.string().describe('id or name, or a prefix of either that matches one VM'),
});

export function addVmRoutes(api: Api, options: RouteOptions): void {
  addVmQuestions(api, options);
  addGuestQuestions(api, options);
  addVmPower(api, options);
  addVmChanges(api, options);
}

function addVmQuestions(api: Api, { services: { vms }, closing }: RouteOptions): void {
  api.get(
    '/v1/vms',
    { schema: { operationId: 'listVms', summary: 'All VMs', response: { 200: vmListSchema, ...errors } } },
    () => ({ vms: vms.list() }),
  );

  api.get(
    '/v1/vms/:vm',
    {
      schema: {
        operationId: 'getVm',
        summary: 'One VM',
        params: vmParams,
        response: { 200: vmSchema, ...errors },
      },
    },
    (request) => vms.get(request.params.vm),
  );

  api.get(
    '/v1/vms/:vm/wait',
    {
      schema: {
        operationId: 'waitForVm',
        summary: 'Answers with the VM once the condition holds',
        params: vmParams,
        querystring: waitVmQuerySchema,
        response: { 200: vmSchema, ...errors },
      },
    },
    (request) =>
      waitForVm(vms, {
        ...request.query,
        reference: request.params.vm,
        signal: AbortSignal.any([request.signal, closing]),
      }),
  );
}

/** What only the guest knows. */
function addGuestQuestions(api: Api, { services: { vms }, closing }: RouteOptions): void {
  api.get(
    '/v1/vms/:vm/ping',
    {
      schema: {
        operationId: 'pingVm',
        summary: "One round trip to the guest's agent",
        params: vmParams,
        response: { 200: pingSchema, ...errors },
      },
    },
    (request) => vms.ping(request.params.vm, { signal: AbortSignal.any([request.signal, closing]) }),
  );

  api.get(
    '/v1/vms/:vm/service',
    {
      schema: {
        operationId: 'getVmService',
        summary: "How the VM's own command is, which runs as a service",
        params: vmParams,
        response: { 200: serviceStatusSchema, ...errors },
      },
    },
    (request) => vms.serviceStatus(request.params.vm, { signal: AbortSignal.any([request.signal, closing]) }),
  );
}

function addVmPower(api: Api, { services: { vms } }: RouteOptions): void {
  api.post(
    '/v1/vms/:vm/start',
    { schema: { operationId: 'startVm', summary: 'Boots a VM', params: vmParams, response: accepted } },
    async (request, reply) => reply.code(202).send(await vms.start(request.params.vm)),
  );

  api.post(
    '/v1/vms/:vm/stop',
    {
      schema: {
        operationId: 'stopVm',
        summary: 'Syncs and powers off; kills when the guest is not done in time',
        params: vmParams,
        body: stopVmRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await vms.stop(request.params.vm, request.body)),
  );

  api.post(
    '/v1/vms/:vm/restart',
    {
      schema: {
        operationId: 'restartVm',
        summary: 'Stops a VM as stop does, then boots it',
        params: vmParams,
        body: stopVmRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await vms.restart(request.params.vm, request.body)),
  );

  api.post(
    '/v1/vms/:vm/kill',
    {
      schema: {
        operationId: 'killVm',
        summary: "Sends a signal to the VM's machine without asking the guest",
        params: vmParams,
        body: killVmRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await vms.kill(request.params.vm, request.body)),
  );
}

function addVmChanges(api: Api, { services: { vms } }: RouteOptions): void {
  api.post(
    '/v1/vms',
    {
      schema: {
        operationId: 'createVm',
        summary: 'Makes a VM and boots it',
        body: createVmRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await vms.create(request.body)),
  );

  api.patch(
    '/v1/vms/:vm',
    {
      schema: {
        operationId: 'setVm',
        summary: 'Changes a VM, at once where that is possible, else at its next start',
        params: vmParams,
        body: setVmRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await vms.set(request.params.vm, request.body)),
  );

  api.post(
    '/v1/vms/:vm/touch',
    {
      schema: {
        operationId: 'touchVm',
        summary: 'Notes that somebody uses the VM, which keeps it from being stopped as stale',
        params: vmParams,
        response: { 200: vmSchema, ...errors },
      },
    },
    (request) => vms.touch(request.params.vm),
  );

  api.delete(
    '/v1/vms/:vm',
    {
      schema: {
        operationId: 'deleteVm',
        summary: 'Removes a VM and its disk for good',
        params: vmParams,
        querystring: deleteVmQuerySchema,
        response: accepted,
      },
    },
    async (request, reply) =>
      reply.code(202).send(await vms.delete(request.params.vm, { force: request.query.force === 'true' })),
  );
}
