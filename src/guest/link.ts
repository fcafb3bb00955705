import type { Duplex } from 'node:stream';
import type { Abortable } from '#base/abort.ts';

/** Where the host finds one machine's end of the guest link. */
export interface LinkAddress {
  /** Unix socket on the host. */
  socketPath: string;
}

/**
 * Port: a way to reach the agent inside a guest. Drivers: virtio-serial (now), vsock.
 */
export interface GuestLink {
  readonly name: string;
  /**
   * Opens the byte stream to the guest. Waits until the host's end exists; says nothing of whether the agent listens yet.
   *
   * @throws UserError `GUEST_LINK_UNREACHABLE` when the socket does not accept before the signal aborts
   */
  connect(address: LinkAddress, options?: Abortable): Promise<Duplex>;
}
