import type { Fields } from './fields.ts';
import { MalformedError } from './malformed.ts';

/** What a Date can hold. */
const MAX_TIME_MS = 8.64e15;

/** A time of the guest, in milliseconds since the epoch, as ISO 8601. @throws MalformedError */
export function timeOf(fields: Fields, tag: number): string {
  const ms = fields.requireNumber(tag);
  if (ms > MAX_TIME_MS) throw new MalformedError(`a time of ${ms} ms`);
  return new Date(ms).toISOString();
}
