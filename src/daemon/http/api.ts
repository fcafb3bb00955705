import { fastify, type FastifyServerOptions } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { RequestListener, Server } from 'node:http';
import type { Logger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { ErrorBody } from '#contract/owner/error.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { answerError } from './api-error.ts';
import type { Api, RouteOptions } from './api-types.ts';
import { refuseOtherBuild } from './build-check.ts';
import { refuseMalformed } from './raw-response.ts';
import { addCommandRoutes } from './routes/command-routes.ts';
import { addDaemonRoutes } from './routes/daemon-routes.ts';
import { addEventRoutes } from './routes/event-routes.ts';
import { addExecRoute } from './routes/exec-route.ts';
import { addFsckRoutes } from './routes/fsck-routes.ts';
import { addImageBuildRoutes } from './routes/image-build-routes.ts';
import { addImageRoutes } from './routes/image-routes.ts';
import { addKernelRoutes } from './routes/kernel-routes.ts';
import { addOperationRoutes } from './routes/operation-routes.ts';
import { addStatsRoutes } from './routes/stats-routes.ts';
import { addPortRoutes } from './routes/port-routes.ts';
import { addVmLogRoute } from './routes/vm-log-route.ts';
import { addVmRoutes } from './routes/vm-routes.ts';

export interface ApiOptions extends RouteOptions {
  createServer: (listener: RequestListener) => Server;
  /** Called before the routes are added: what looks at them as they come. */
  prepare?: (api: Api) => Promise<void>;
}

const MAX_BODY_BYTES = 2 ** 20;
/** A longer reference is answered as an unknown route. */
const MAX_PARAMETER_LENGTH = 1024;

type CompilersFactory = NonNullable<
  NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']
>;

/** Given here rather than with Fastify's setters, so that it does not load compilers of its own, ajv among them. */
const ZOD_COMPILERS = {
  buildValidator: () => validatorCompiler,
  buildSerializer: () => serializerCompiler,
} as unknown as CompilersFactory;

/** The HTTP API without its socket. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const api = createInstance(options);
  addHooks(api, options);
  await options.prepare?.(api);
  addDaemonRoutes(api, options);
  addVmRoutes(api, options);
  addVmLogRoute(api, options);
  addPortRoutes(api, options);
  addExecRoute(api);
  addCommandRoutes(api, options);
  addImageRoutes(api, options);
  addImageBuildRoutes(api, options);
  addKernelRoutes(api, options);
  addOperationRoutes(api, options);
  addEventRoutes(api, options);
  addFsckRoutes(api, options);
  addStatsRoutes(api, options);
  await api.ready();
  return api;
}

function createInstance({ createServer, log }: ApiOptions): Api {
  const api = fastify({
    serverFactory: createServer,
    logger: false,
    schemaController: { compilersFactory: ZOD_COMPILERS },
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    // The generic parameters of this reply are those of the caller that there is none of.
    frameworkErrors: (error, _request, reply) => sendError(error, reply as unknown as ErrorReply, log),
    clientErrorHandler: refuseMalformed,
  }).withTypeProvider<ZodTypeProvider>();
  const parseJson = api.getDefaultJsonParser('error', 'error');
  // A client that always names JSON may have nothing to say.
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  return api;
}

function addHooks(api: Api, { log, closing }: ApiOptions): void {
  api.addHook('onRequest', async (request, reply) => {
    reply.header(BUILD_HEADER, buildLabel());
    closing.throwIfAborted();
    if (!request.routeOptions.config.anyBuild) refuseOtherBuild(request.headers);
  });
  // A request without a body says the same as one with an empty object.
  api.addHook('preValidation', async (request) => {
    if (request.routeOptions.schema?.body) request.body ??= {};
  });
  api.addHook('onResponse', async (request, reply) => {
    const { id, method, url } = request;
    log.debug(
      { requestId: id, method, url, status: reply.statusCode, durationMs: reply.elapsedTime },
      'request',
    );
  });
  api.setErrorHandler((error, _request, reply) => sendError(error, reply, log));
  api.setNotFoundHandler((request) => {
    throw new UserError(
      'ROUTE_NOT_FOUND',
      `Cannot answer ${request.method} "${request.url}": the API has no such route`,
      {
        hint: 'GET /v1/openapi.json lists the routes',
      },
    );
  });
}

/** What sending an error takes; Fastify's own types of a reply differ by where it comes from. */
interface ErrorReply {
  readonly request: { readonly id: string };
  readonly raw: { readonly destroyed: boolean };
  header(name: string, value: string): unknown;
  code(status: number): { send(body: ErrorBody): unknown };
}

function sendError(error: unknown, reply: ErrorReply, log: Logger): void {
  const requestId = reply.request.id;
  const { status, body, isBug } = answerError(error, requestId);
  // What the leaving of a client aborted is no bug.
  if (isBug && !reply.raw.destroyed) log.error({ err: error, requestId }, 'unexpected error');
  reply.header(BUILD_HEADER, buildLabel());
  reply.code(status).send(body);
}
