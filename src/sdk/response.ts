import type { IncomingMessage } from 'node:http';
import { UserError } from '#contract/errors.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { parseErrorBody } from './error-body.ts';
import type { ApiRequest } from './api-request.ts';

const MAX_BODY_BYTES = 64 * 2 ** 20;

/** Anything that can check a value; zod's schemas can. */
export interface Parser<T> {
  parse(value: unknown): T;
}

/** Throws what an answer with an error status, or of another build, says. */
export async function refuseError(response: IncomingMessage, request: ApiRequest): Promise<void> {
  const status = response.statusCode ?? 0;
  if (status >= 400)
    throw parseErrorBody(await readJson(response), `Cannot ${request.method} "${request.path}"`);
  const build = response.headers[BUILD_HEADER];
  if (request.anyBuild || build === undefined || build === buildLabel()) return;
  response.destroy();
  throw new UserError(
    'DAEMON_VERSION_MISMATCH',
    `Cannot use the daemon: it is build "${String(build)}", this is "${buildLabel()}"`,
    {
      hint: 'banger daemon stop',
      details: { daemon: build, client: buildLabel() },
    },
  );
}

/** Reads the whole body and checks it, with a schema loaded meanwhile; fields that the schema does not know are dropped. */
export async function readBody<T>(
  response: IncomingMessage,
  loadSchema: () => Promise<Parser<T>>,
): Promise<T> {
  const [body, schema] = await Promise.all([readJson(response), loadSchema()]);
  return schema.parse(body);
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('the daemon answered with more than 64 MiB');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}
