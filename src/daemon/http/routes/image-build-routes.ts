import { buildImageRequestSchema } from '#contract/owner/image-build.ts';
import { bundleImageRequestSchema } from '#contract/owner/image-bundle.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { imageParams } from './image-routes.ts';
import { accepted } from './responses.ts';

/** Images of Dockerfiles, and bundles of images. */
export function addImageBuildRoutes(api: Api, { services: { bundles, imageBuilds } }: RouteOptions): void {
  api.post(
    '/v1/images/build',
    {
      schema: {
        operationId: 'buildImage',
        summary: 'Makes an image of a Dockerfile, with the builder that the host has',
        body: buildImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await imageBuilds.build(request.body)),
  );

  api.post(
    '/v1/images/:image/bundle',
    {
      schema: {
        operationId: 'bundleImage',
        summary: 'Writes an image as a bundle for a catalog',
        params: imageParams,
        body: bundleImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await bundles.make(request.params.image, request.body)),
  );
}
