import type * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import { fieldIssues, sentenceOf } from './field-issues.ts';

export interface OpenRequestOptions<T> {
  schema: z.ZodType<T>;
  /** Continues "Cannot …". */
  action: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What a client says in `OPEN`. @throws UserError `INVALID_ARGUMENT` */
export function parseOpenRequest<T>(payload: Uint8Array, { schema, action }: OpenRequestOptions<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(payload));
  } catch (error) {
    throw new UserError('INVALID_ARGUMENT', `Cannot ${action}: the request is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error.issues);
  throw new UserError('INVALID_ARGUMENT', `Cannot ${action}: ${sentenceOf(issues)}`, { details: { issues } });
}
