import * as z from 'zod';
import { errorBodySchema } from '#contract/owner/error.ts';
import { operationSchema } from '#contract/owner/operation.ts';

/** Any status that a route does not name itself. */
export const errors = { default: errorBodySchema.describe('an error') } as const;

/** Of a route whose handler sends a stream by itself. */
export function streamed(contentType: string, description: string) {
  return { 200: { description, content: { [contentType]: { schema: z.string() } } }, ...errors };
}

/** Of a route that begins an operation. */
export const accepted = { 202: operationSchema.describe('the operation that has begun'), ...errors } as const;
