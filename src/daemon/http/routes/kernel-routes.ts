import * as z from 'zod';
import {
  importKernelRequestSchema,
  kernelDetailsSchema,
  kernelListSchema,
  kernelSchema,
  pullKernelRequestSchema,
} from '#contract/owner/kernel.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { accepted, errors } from './responses.ts';

const params = z.object({ kernel: z.string().describe('id, name, entry of the catalog, or a prefix') });

/** What VMs boot. */
export function addKernelRoutes(api: Api, options: RouteOptions): void {
  addMakingRoutes(api, options);
  const { services } = options;
  api.get(
    '/v1/kernels',
    {
      schema: {
        operationId: 'listKernels',
        summary: 'Kernels on this machine, and the catalog of those that can be pulled by name',
        response: { 200: kernelListSchema, ...errors },
      },
    },
    () => services.kernels.list(),
  );

  api.get(
    '/v1/kernels/:kernel',
    {
      schema: {
        operationId: 'getKernel',
        summary: 'One kernel: its files, what it loads at boot, and the VMs that have it',
        params,
        response: { 200: kernelDetailsSchema, ...errors },
      },
    },
    ({ params: { kernel } }) => services.kernels.get(kernel),
  );

  api.post(
    '/v1/kernels/:kernel/default',
    {
      schema: {
        operationId: 'setDefaultKernel',
        summary: 'Makes it the kernel that new VMs boot',
        params,
        response: { 200: kernelSchema, ...errors },
      },
    },
    ({ params: { kernel } }) => services.kernels.setDefault(kernel),
  );

  api.delete(
    '/v1/kernels/:kernel',
    {
      schema: {
        operationId: 'deleteKernel',
        summary: 'Removes a kernel that nothing uses; answers with what it was',
        params,
        response: { 200: kernelSchema, ...errors },
      },
    },
    ({ params: { kernel } }) => services.kernels.delete(kernel),
  );
}

function addMakingRoutes(api: Api, { services }: RouteOptions): void {
  api.post(
    '/v1/kernels/pull',
    {
      schema: {
        operationId: 'pullKernel',
        summary: 'Fetches a kernel of the catalog; its operation has it as result',
        body: pullKernelRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await services.kernels.pull(request.body)),
  );

  api.post(
    '/v1/kernels/import',
    {
      schema: {
        operationId: 'importKernel',
        summary: 'Makes a kernel of files on this machine; its operation has it as result',
        body: importKernelRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await services.kernels.import(request.body)),
  );
}
