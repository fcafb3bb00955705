import { UserError } from '../errors.ts';
import { Fields, FieldsBuilder } from './fields.ts';
import { openFields, Operation } from './open.ts';

export interface GrowRootRequest {
  /** What the disk has by now: the guest waits until it sees that much. */
  diskBytes?: number | undefined;
}

/** Of the root file system: what it can hold, so a little less than its disk. */
export interface GrownRoot {
  bytesBefore: number;
  bytesAfter: number;
  diskBytes: number;
}

export function encodeGrowRootOpen({ diskBytes }: GrowRootRequest): Uint8Array {
  const fields = openFields(Operation.GROW_ROOT);
  if (diskBytes !== undefined) fields.u64(2, diskBytes);
  return fields.build();
}

/** @throws MalformedError */
export function decodeGrowRootOpen(payload: Uint8Array): GrowRootRequest {
  return { diskBytes: new Fields(payload).number(2) };
}

export function encodeGrownRoot({ bytesBefore, bytesAfter, diskBytes }: GrownRoot): Uint8Array {
  return new FieldsBuilder().u64(1, bytesBefore).u64(2, bytesAfter).u64(3, diskBytes).build();
}

/** @throws MalformedError */
export function decodeGrownRoot(payload: Uint8Array): GrownRoot {
  const fields = new Fields(payload);
  return {
    bytesBefore: fields.requireNumber(1),
    bytesAfter: fields.requireNumber(2),
    diskBytes: fields.requireNumber(3),
  };
}

/** Who the guest is to be; what is left out stays as it is. */
export interface GuestIdentity {
  hostname?: string | undefined;
}

const HOSTNAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/;

/** @throws UserError `INVALID_ARGUMENT` */
export function encodeIdentityOpen({ hostname }: GuestIdentity): Uint8Array {
  const fields = openFields(Operation.SET_IDENTITY);
  if (hostname === undefined) return fields.build();
  if (!HOSTNAME_PATTERN.test(hostname)) {
    throw new UserError('INVALID_ARGUMENT', `Cannot use "${hostname}" as host name: it is not one`);
  }
  return fields.text(2, hostname).build();
}

/** @throws MalformedError */
export function decodeIdentityOpen(payload: Uint8Array): GuestIdentity {
  return { hostname: new Fields(payload).text(2) };
}
