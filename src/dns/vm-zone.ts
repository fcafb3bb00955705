import { isIPv4 } from 'node:net';
import { VM_NAME_PATTERN } from '#contract/owner/vm.ts';

/** VMs are `NAME.vm`. */
const FORWARD_ZONE = 'vm';
/** The loopback addresses that VMs have in user mode, 127.77.0.0/16, backwards. */
const REVERSE_ZONE = '77.127.in-addr.arpa';
const REVERSE_PREFIX = '127.77.';

/** What is at a name: a record; nothing but names below it (`branch`), as at a zone's own name (`apex`); or nothing at all. */
export type ZoneEntry =
  | { kind: 'record'; type: 'A' | 'PTR'; data: string }
  | { kind: 'apex' }
  | { kind: 'branch' }
  | { kind: 'absent' };

export interface ZoneFinding {
  zone: string;
  entry: ZoneEntry;
}

const ABSENT: ZoneEntry = { kind: 'absent' };

/** The names of VMs and their addresses. */
export class VmZone {
  readonly #addresses = new Map<string, string>();
  #serial = 1;

  /** Counts the changes. */
  get serial(): number {
    return this.#serial;
  }

  /** @throws TypeError for what is no VM name or no IPv4 address, which no record could hold */
  set(name: string, address: string): void {
    if (!VM_NAME_PATTERN.test(name)) throw new TypeError(`"${name}" is no name of a VM`);
    if (!isIPv4(address)) throw new TypeError(`"${address}" is no IPv4 address`);
    this.#addresses.set(name, address);
    this.#serial += 1;
  }

  remove(name: string): void {
    if (this.#addresses.delete(name)) this.#serial += 1;
  }

  /** What is at a name, written in any case; undefined when it is in none of the zones. */
  find(name: string): ZoneFinding | undefined {
    const wanted = name.toLowerCase();
    const forward = labelsBelow(wanted, FORWARD_ZONE);
    if (forward) return { zone: FORWARD_ZONE, entry: this.#findAddress(forward) };
    const reverse = labelsBelow(wanted, REVERSE_ZONE);
    if (reverse) return { zone: REVERSE_ZONE, entry: this.#findPointer(reverse) };
    return undefined;
  }

  /** Every name below a VM's is that VM too, so that a web server in it can tell sites apart. */
  #findAddress(labels: readonly string[]): ZoneEntry {
    const name = labels.at(-1);
    if (name === undefined) return { kind: 'apex' };
    const address = this.#addresses.get(name);
    return address === undefined ? ABSENT : { kind: 'record', type: 'A', data: address };
  }

  #findPointer(labels: readonly string[]): ZoneEntry {
    if (labels.length === 0) return { kind: 'apex' };
    const address = REVERSE_PREFIX + labels.toReversed().join('.');
    for (const [name, known] of this.#addresses) {
      if (known === address) return { kind: 'record', type: 'PTR', data: `${name}.${FORWARD_ZONE}` };
      // A resolver that asks label by label would take NXDOMAIN as the answer for all names below.
      if (known.startsWith(`${address}.`)) return { kind: 'branch' };
    }
    return ABSENT;
  }
}

function labelsBelow(name: string, zone: string): string[] | undefined {
  if (name === zone) return [];
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1).split('.') : undefined;
}
