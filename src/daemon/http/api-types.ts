import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Logger } from '#base/log.ts';
import type { Services } from './services.ts';

export type Api = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What the routes are given. */
export interface RouteOptions {
  services: Services;
  /** Aborts when the server closes: what is still running for a client ends. */
  closing: AbortSignal;
  log: Logger;
  /** The OpenAPI document of the whole, as text. */
  openApi: () => Promise<string>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served to clients of other builds too. */
    anyBuild?: boolean;
  }
}
