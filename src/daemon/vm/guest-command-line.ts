import type { GuestNetwork } from '#network/network.ts';

export const ROOT_DISK_SERIAL = 'banger-root';
export const MODULES_DISK_SERIAL = 'banger-modules';

export interface GuestConfig {
  hostname: string;
  network: GuestNetwork | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What the agent reads from /proc/cmdline (docs/guest-protocol.md, "What the agent does at boot"). */
export function guestCommandLine(config: GuestConfig): string[] {
  const { network } = config;
  const values: Record<string, string | undefined> = {
    hostname: config.hostname,
    root: ROOT_DISK_SERIAL,
    modules: MODULES_DISK_SERIAL,
    time: String(config.now),
    address: network?.address,
    gateway: network?.gateway,
    dns: network?.dns.join(','),
    mtu: network && String(network.mtu),
  };
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `banger.${key}=${encodeValue(value as string)}`);
}

/** Keeps what is readable; every byte that the kernel or a shell could take amiss becomes %XX. */
function encodeValue(value: string): string {
  return value.replace(/[^A-Za-z0-9.,:/_-]+/g, (run) =>
    Array.from(Buffer.from(run), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
