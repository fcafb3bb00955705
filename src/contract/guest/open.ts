import { UserError } from '../errors.ts';
import { Fields, FieldsBuilder } from './fields.ts';
import { MAX_PAYLOAD_BYTES } from './frames.ts';

/** Field 1 of `OPEN`. */
export const Operation = {
  EXEC: 1,
  TAR_IN: 2,
  TAR_OUT: 3,
  TCP_CONNECT: 4,
  PORTS: 5,
  STATS: 6,
  SYNC: 7,
  POWER_OFF: 8,
  UDP_CONNECT: 9,
  GROW_ROOT: 10,
  SET_IDENTITY: 11,
  COMMAND_LIST: 12,
  COMMAND_ATTACH: 13,
  COMMAND_SIGNAL: 14,
  COMMAND_REMOVE: 15,
  COMMAND_START: 16,
  SERVICE_DEFINE: 17,
  SERVICE_STATUS: 18,
  SERVICE_STOP: 19,
  SERVICE_START: 20,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

export function openFields(operation: Operation): FieldsBuilder {
  return new FieldsBuilder().u32(1, operation);
}

/** @throws MalformedError */
export function operationOf(payload: Uint8Array): number {
  return new Fields(payload).requireNumber(1);
}

/** `OPEN` of an operation without fields of its own: ports, stats, sync. */
export function encodePlainOpen(operation: Operation): Uint8Array {
  return openFields(operation).build();
}

/** @throws UserError `REQUEST_TOO_LARGE` when it does not fit into one frame */
export function buildOpen(fields: FieldsBuilder, subject: string): Uint8Array {
  if (fields.length > MAX_PAYLOAD_BYTES) {
    throw new UserError(
      'REQUEST_TOO_LARGE',
      `Cannot send ${subject}: ${fields.length} bytes of arguments are more than ${MAX_PAYLOAD_BYTES}`,
      { hint: 'pass large data through stdin or a file' },
    );
  }
  return fields.build();
}

/** @throws UserError `INVALID_ARGUMENT` for what no C string can hold */
export function withoutNul(text: string, what: string): string {
  if (text.includes('\0')) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot use ${what} ${JSON.stringify(text)}: it holds a NUL byte`,
    );
  }
  return text;
}
