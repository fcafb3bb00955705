import { MiB } from './sizes.ts';

const COLLECT_AFTER_BYTES = 4 * MiB;

let received = 0;

/**
 * To be told of what arrives in buffers that are soon done with. V8 counts them only towards a collection of the whole heap, and a
 * stream of bytes makes too few objects to bring about the small one that would do: half of the CPU of passing bytes on was that.
 * Does nothing in a process that may not ask for it.
 */
export function countYoungBuffer(bytes: number): void {
  received += bytes;
  if (received < COLLECT_AFTER_BYTES) return;
  received = 0;
  globalThis.gc?.({ type: 'minor' });
}
