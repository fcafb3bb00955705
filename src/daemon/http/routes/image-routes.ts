import * as z from 'zod';
import {
  commitImageRequestSchema,
  deletedImageSchema,
  deleteImageQuerySchema,
  exportImageRequestSchema,
  imageDetailsSchema,
  imageListSchema,
  imageSchema,
  importImageRequestSchema,
  prunedCacheSchema,
  pruneCacheQuerySchema,
  pullImageRequestSchema,
  registerImageRequestSchema,
  seedImageRequestSchema,
  tagImageRequestSchema,
} from '#contract/owner/image.ts';
import type { Api, RouteOptions } from '../api-types.ts';
import { accepted, errors } from './responses.ts';

export const imageParams = z.object({ image: z.string().describe('name or id; a slash is written as %2F') });

/** Images: what VMs are made from. */
export function addImageRoutes(api: Api, options: RouteOptions): void {
  addImageQuestions(api, options);
  addImageSources(api, options);
  addImageChanges(api, options);
  addImageRemovals(api, options);
}

function addImageQuestions(api: Api, { services: { images } }: RouteOptions): void {
  api.get(
    '/v1/images',
    {
      schema: {
        operationId: 'listImages',
        summary: 'Images on this machine, and those that can be made by name',
        response: { 200: imageListSchema, ...errors },
      },
    },
    () => images.list(),
  );

  api.get(
    '/v1/images/:image',
    {
      schema: {
        operationId: 'getImage',
        summary: 'One image, with the VMs that begin from it',
        params: imageParams,
        response: { 200: imageDetailsSchema, ...errors },
      },
    },
    (request) => images.get(request.params.image),
  );
}

function addImageSources(api: Api, { services: { images } }: RouteOptions): void {
  api.post(
    '/v1/images/pull',
    {
      schema: {
        operationId: 'pullImage',
        summary:
          'Makes an image of what a registry has, or of an entry of a catalog; does nothing when its name is there and the registry has no other one',
        body: pullImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await images.pull(request.body)),
  );

  api.post(
    '/v1/images/import',
    {
      schema: {
        operationId: 'importImage',
        summary: 'Makes an image of a file or folder on this machine',
        body: importImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await images.import(request.body)),
  );

  api.post(
    '/v1/images/register',
    {
      schema: {
        operationId: 'registerImage',
        summary: 'Makes a raw ext4 file an image, in place',
        body: registerImageRequestSchema,
        response: { 200: imageSchema, ...errors },
      },
    },
    (request) => images.register(request.body),
  );

  api.post(
    '/v1/images/commit',
    {
      schema: {
        operationId: 'commitImage',
        summary: 'Makes an image of the disk of a VM that is stopped',
        body: commitImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await images.commit(request.body)),
  );
}

function addImageChanges(api: Api, { services: { images } }: RouteOptions): void {
  api.post(
    '/v1/images/:image/names',
    {
      schema: {
        operationId: 'tagImage',
        summary: 'Gives an image one more name',
        params: imageParams,
        body: tagImageRequestSchema,
        response: { 200: imageSchema, ...errors },
      },
    },
    (request) => images.tag(request.params.image, request.body.name),
  );

  api.post(
    '/v1/images/:image/promote',
    {
      schema: {
        operationId: 'promoteImage',
        summary: "Copies a registered image's file to where banger keeps its own",
        params: imageParams,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await images.promote(request.params.image)),
  );

  api.post(
    '/v1/images/:image/export',
    {
      schema: {
        operationId: 'exportImage',
        summary: 'Writes an image as an OCI layout or as a tar',
        params: imageParams,
        body: exportImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await images.export(request.params.image, request.body)),
  );

  api.post(
    '/v1/images/:image/work-seed',
    {
      schema: {
        operationId: 'seedImage',
        summary: "Makes the file system that work disks begin with, of the image's /root",
        params: imageParams,
        body: seedImageRequestSchema,
        response: accepted,
      },
    },
    async (request, reply) => reply.code(202).send(await images.seed(request.params.image, request.body)),
  );
}

function addImageRemovals(api: Api, { services: { images } }: RouteOptions): void {
  api.delete(
    '/v1/images/:image',
    {
      schema: {
        operationId: 'deleteImage',
        summary: 'Removes an image, or one of its names when it has several',
        params: imageParams,
        querystring: deleteImageQuerySchema,
        response: { 200: deletedImageSchema, ...errors },
      },
    },
    (request) => images.delete(request.params.image, { force: request.query.force === 'true' }),
  );

  api.post(
    '/v1/images/cache/prune',
    {
      schema: {
        operationId: 'pruneImageCache',
        summary:
          'Removes downloads that nothing uses at the moment, and images without a name that no VM uses',
        querystring: pruneCacheQuerySchema,
        response: { 200: prunedCacheSchema, ...errors },
      },
    },
    (request) => images.pruneCache({ dryRun: request.query.dryRun === 'true' }),
  );
}
