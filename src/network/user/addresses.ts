/**
 * The same for every machine: each has a network program of its own, so they never meet.
 * Everything else in the subnet is carried to the outside.
 */
export const GUEST_ADDRESS = '10.77.0.2';
export const GATEWAY_ADDRESS = '10.77.0.1';
/** Queries sent here go to the host's resolver, also when that listens on the host's loopback only. */
export const DNS_ADDRESS = '10.77.0.3';
export const PREFIX_LENGTH = 24;
/** The gateway's; made up, so that the guest does not learn the host's. */
export const GATEWAY_MAC = '52:55:0a:4d:00:01';
/** The largest that passt takes: connections end in passt, so it has nothing to do with the outside's. */
export const MTU = 65520;

/** QEMU's prefix and the first half of the VM's id. */
export function guestMac(id: string): string {
  return `52:54:00:${id.slice(0, 2)}:${id.slice(2, 4)}:${id.slice(4, 6)}`;
}
