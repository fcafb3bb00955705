import { UserError } from '#contract/errors.ts';

const NETWORK = '127.77';
const BLOCK = 0x10000;
const FIRST = 1;
const LAST = BLOCK - 2;

/**
 * Chooses the loopback address on which the host reaches a VM: one of 127.77.0.0/16 without its first and last. The choice
 * depends on the id alone until two VMs meet, so that an address says the same thing after a store was lost.
 */
export function chooseHostAddress(id: string, taken: Iterable<string>): string {
  const occupied = new Set(taken);
  const count = LAST - FIRST + 1;
  const start = hash(id) % count;
  for (let step = 0; step < count; step++) {
    const address = toAddress(FIRST + ((start + step) % count));
    if (!occupied.has(address)) {
      return address;
    }
  }
  throw new UserError(
    'HOST_ADDRESSES_USED_UP',
    `Cannot give the VM an address: all ${count} of ${NETWORK}.0.0/16 are in use`,
    {
      hint: 'Delete VMs that are no longer needed: banger vm list',
    },
  );
}

function toAddress(host: number): string {
  return `${NETWORK}.${host >> 8}.${host & 0xff}`;
}

/** FNV-1a: spreads ids that differ in one character. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
