import type { ListeningPort } from '#contract/guest/port-messages.ts';

/** How a port is reached from inside the guest: the addresses to try, in this order. */
export interface GuestTarget {
  readonly port: number;
  readonly hosts: readonly string[];
}

/** A port of the guest with everything that listens on it. */
export interface GuestListener {
  readonly protocol: ListeningPort['protocol'];
  readonly port: number;
  /** Without repetition: a process often listens once for IPv4 and once for IPv6. */
  readonly addresses: readonly string[];
  readonly inodes: readonly number[];
  readonly pid?: number | undefined;
  readonly processName?: string | undefined;
}

const MAPPED_V4 = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/;

/** Sockets of one port and protocol are one listener; in the order of their ports. */
export function groupListeners(ports: readonly ListeningPort[]): GuestListener[] {
  const groups = Map.groupBy(ports, ({ protocol, port }) => `${protocol}/${port}`);
  return [...groups.values()]
    .map((group) => toListener(group))
    .toSorted((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
}

/** Undefined when it listens on nothing that the daemon may reach: an address of the guest's loopback that is not its usual one. */
export function targetOf({ port, addresses }: GuestListener): GuestTarget | undefined {
  const hosts = new Set(addresses.flatMap((address) => hostsOf(address)));
  return hosts.size === 0 ? undefined : { port, hosts: [...hosts].toSorted(byLoopbackFirst) };
}

function toListener(group: readonly ListeningPort[]): GuestListener {
  const [first] = group as [ListeningPort];
  const owned = group.find(({ pid }) => pid !== undefined);
  return {
    protocol: first.protocol,
    port: first.port,
    addresses: [...new Set(group.map(({ address }) => plainAddress(address)))].toSorted(),
    inodes: group.map(({ inode }) => inode),
    ...(owned && { pid: owned.pid, processName: owned.processName }),
  };
}

/** IPv4 inside IPv6 is IPv4. */
function plainAddress(address: string): string {
  const [, dotted, high, low] = MAPPED_V4.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return address;
  const number = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}

function hostsOf(address: string): string[] {
  if (address === '0.0.0.0') return ['127.0.0.1'];
  // It may take IPv6 alone, or both.
  if (address === '::') return ['127.0.0.1', '::1'];
  if (address === '127.0.0.1' || address === '::1') return [address];
  if (address.startsWith('127.') || address.startsWith('fe80:')) return [];
  return [address];
}

function byLoopbackFirst(a: string, b: string): number {
  const rank = (address: string) => (address === '127.0.0.1' ? 0 : address === '::1' ? 1 : 2);
  return rank(a) - rank(b) || a.localeCompare(b);
}
