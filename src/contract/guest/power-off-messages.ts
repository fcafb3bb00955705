import { Fields } from './fields.ts';
import { openFields, Operation } from './open.ts';

/** `init` asks the guest's init, `now` does without it; both sync first. */
export type PowerOffMode = 'init' | 'now';

export interface PowerOffRequest {
  /** How long the guest's init may take; default 8000. */
  graceMs?: number | undefined;
  /** Default `init`. */
  mode?: PowerOffMode | undefined;
}

/** What the guest is told. */
export interface PowerOffOrder {
  graceMs: number;
  mode: PowerOffMode;
}

export const DEFAULT_GRACE_MS = 8000;

export function encodePowerOffOpen(request: PowerOffRequest): Uint8Array {
  return openFields(Operation.POWER_OFF)
    .u32(2, request.graceMs ?? DEFAULT_GRACE_MS)
    .u32(3, request.mode === 'now' ? 1 : 0)
    .build();
}

/** @throws MalformedError */
export function decodePowerOffOpen(payload: Uint8Array): PowerOffOrder {
  const fields = new Fields(payload);
  return { graceMs: fields.number(2) ?? DEFAULT_GRACE_MS, mode: fields.number(3) === 1 ? 'now' : 'init' };
}
