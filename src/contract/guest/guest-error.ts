import { Fields, FieldsBuilder } from './fields.ts';
import { plainText } from './plain-text.ts';

const GUEST_ERROR_CODES = [
  'NOT_FOUND',
  'DENIED',
  'INVALID',
  'EXISTS',
  'TOO_MANY',
  'FLOW',
  'UNSUPPORTED',
  'REFUSED',
  'TIMEOUT',
  'IO',
  'BUSY',
] as const;
export type GuestErrorCode = (typeof GUEST_ERROR_CODES)[number];

/** `ERROR`: why the guest ended a channel. */
export interface GuestFailure {
  code: GuestErrorCode;
  /** Bounded and printable. */
  message: string;
  errno?: number | undefined;
}

export function encodeGuestFailure(failure: GuestFailure): Uint8Array {
  const fields = new FieldsBuilder().text(1, failure.code).text(2, failure.message);
  if (failure.errno !== undefined) fields.u32(3, failure.errno);
  return fields.build();
}

/**
 * A code of a newer agent that this build does not know is read as `IO`.
 *
 * @throws MalformedError
 */
export function decodeGuestFailure(payload: Uint8Array): GuestFailure {
  const fields = new Fields(payload);
  const code = fields.requireText(1);
  return {
    code: GUEST_ERROR_CODES.find((known) => known === code) ?? 'IO',
    message: plainText(fields.text(2) ?? '', 1024),
    errno: fields.number(3),
  };
}
