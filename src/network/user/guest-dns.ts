import { isIPv4 } from 'node:net';
import { DNS_ADDRESS } from './addresses.ts';

/** resolv.conf(5): more are ignored by its readers. */
const MAX_NAMESERVERS = 3;

/**
 * The resolvers that a guest is given, from the text of the host's resolv.conf. Resolvers that the guest reaches by itself are
 * handed on; one on the host's loopback (systemd-resolved's 127.0.0.53, and 127.0.0.1 when the file names none) is
 * reached through passt, which forwards UDP only.
 */
export function chooseGuestDns(resolvConf: string): string[] {
  const nameservers = resolvConf
    .split('\n')
    .map((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIPv4(address));
  const reachable = nameservers.filter((address) => !address.startsWith('127.'));
  return reachable.length > 0 ? reachable.slice(0, MAX_NAMESERVERS) : [DNS_ADDRESS];
}
