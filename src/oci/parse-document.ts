import type * as z from 'zod';
import { messageOf } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';

/**
 * Reads JSON that a registry sent. Unknown keys are dropped: the formats grow.
 *
 * @throws UserError IMAGE_PULL_FAILED that names the first field which does not fit
 */
export function parseDocument<Schema extends z.ZodType>(
  bytes: Uint8Array,
  what: string,
  schema: Schema,
): z.output<Schema> {
  const result = schema.safeParse(parseJson(bytes, what));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  const condition = `${field === '' ? '' : `${field}: `}${issue?.message ?? 'wrong shape'}`;
  throw new UserError('IMAGE_PULL_FAILED', `Cannot use the ${what}: ${condition}`, { cause: result.error });
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UserError('IMAGE_PULL_FAILED', `Cannot use the ${what}: it is no JSON (${messageOf(error)})`, {
      cause: error,
    });
  }
}
