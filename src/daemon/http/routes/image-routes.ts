import { imageListSchema } from '#contract/owner/image.ts';
import { kernelListSchema } from '#contract/owner/kernel.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { errors } from './responses.ts';

/** Images and kernels: what VMs are made from. */
export function addImageRoutes(api: Api, { services }: RouteOptions): void {
  api.get(
    '/v1/images',
    {
      schema: {
        operationId: 'listImages',
        summary: 'Images on this machine, and those that can be made by name',
        response: { 200: imageListSchema, ...errors },
      },
    },
    () => services.images.list(),
  );

  api.get(
    '/v1/kernels',
    {
      schema: {
        operationId: 'listKernels',
        summary: 'Kernels on this machine',
        response: { 200: kernelListSchema, ...errors },
      },
    },
    async () => ({ kernels: await services.kernels.list() }),
  );
}
