import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';

export interface StreamedContent {
  contentType: string;
  /** Read only as fast as the client reads. */
  chunks: AsyncIterable<string | Buffer>;
  log: Logger;
}

/**
 * Answers with content that comes over time. The head is sent at once: Fastify would keep it until the first chunk, and a client
 * that follows something quiet would wait for an answer.
 */
export function sendStream(reply: FastifyReply, { contentType, chunks, log }: StreamedContent): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    [BUILD_HEADER]: buildLabel(),
    'content-type': contentType,
    'cache-control': 'no-store',
  });
  reply.raw.flushHeaders();
  pipeline(Readable.from(chunks, { highWaterMark: 1 }), reply.raw).catch((error: unknown) => {
    // A client may leave at any time.
    if (systemErrorCode(error) === 'ERR_STREAM_PREMATURE_CLOSE') return;
    log.error({ err: error, requestId: reply.request.id }, 'cannot send the rest of an answer');
  });
}
