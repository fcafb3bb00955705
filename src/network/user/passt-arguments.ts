import { DNS_ADDRESS, GATEWAY_ADDRESS, GATEWAY_MAC, GUEST_ADDRESS, MTU, PREFIX_LENGTH } from './addresses.ts';
import type { NetworkPaths } from './network-paths.ts';

/** passt's argv, without the program: outbound IPv4 and nothing else. */
export function passtArguments(paths: NetworkPaths, dns: readonly string[]): string[] {
  return [
    '--foreground',
    ...['--log-file', paths.log],
    '--ipv4-only',
    // Only a source of defaults, all of which are given here; the default route's interface would be refused when there is none.
    ...['--interface', 'lo'],
    ...['--address', GUEST_ADDRESS, '--netmask', String(PREFIX_LENGTH)],
    ...['--gateway', GATEWAY_ADDRESS, '--mac-addr', GATEWAY_MAC],
    ...['--mtu', String(MTU)],
    // Otherwise the gateway's address is the host's loopback.
    '--no-map-gw',
    // Not when it is not used: passt then says of all answers of the host's resolver that they came from there.
    ...(dns.includes(DNS_ADDRESS) ? ['--dns-forward', DNS_ADDRESS] : []),
    ...['--no-dhcp', '--no-ndp', '--no-dhcpv6', '--no-ra'],
    ...['--tcp-ports', 'none', '--udp-ports', 'none'],
  ];
}
