import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { ConnectionError, readBody, silence } from './connection-error.ts';
import type { HttpResponse } from './http-transport.ts';

export interface ReadBounds extends Abortable {
  maxBytes: number;
  /** For all of it: what is small has no reason to come slowly. */
  timeoutMs: number;
}

/** All of a small body; undefined when it is larger than allowed. */
export async function readBounded(response: HttpResponse, bounds: ReadBounds): Promise<Buffer | undefined> {
  const deadline = withTimeout(bounds.timeoutMs, bounds.signal);
  try {
    return await raceAbort(collect(response, bounds.maxBytes), deadline);
  } catch (error) {
    bounds.signal?.throwIfAborted();
    throw isTimeout(error) ? new ConnectionError(silence(bounds.timeoutMs), response.url.host) : error;
  } finally {
    response.body.destroy();
  }
}

async function collect({ body, url }: HttpResponse, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readBody(body, url.host)) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
