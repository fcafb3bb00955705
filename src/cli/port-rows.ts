import type { GuestPort, PublishedPortState, VmPorts } from '#contract/owner/port.ts';
import { printable } from './output/printable.ts';

export const PORTS_HEAD = ['VM', 'PORT', 'LISTENS ON', 'PROCESS', 'REACHABLE AT', 'PUBLISHED AT', 'NOTE'];

/** One row for each port of the guest, then one for each published port on which nothing listens there. */
export function toPortRows(ports: VmPorts): string[][] {
  const isServed = ({ guestPort, protocol }: PublishedPortState) =>
    ports.ports.some((one) => one.port === guestPort && one.protocol === protocol);
  return [
    ...ports.ports.map((port) => toRow(ports.vm, port)),
    ...ports.published
      .filter((port) => !isServed(port) || !port.active)
      .map((port) => toPublishedRow(ports, port, isServed(port))),
  ];
}

/** `127.0.0.1:8080`. */
export function formatPublished({ hostAddress, hostPort }: PublishedPortState): string {
  return `${hostAddress}:${hostPort}`;
}

function toRow(vm: string, port: GuestPort): string[] {
  const { process, endpoint, scheme, published, reason } = port;
  const address = endpoint === undefined || scheme === undefined ? endpoint : `${scheme}://${endpoint}`;
  return [
    vm,
    `${port.port}/${port.protocol}`,
    port.addresses.join(', '),
    process ? printable(`${process.name ?? '?'} (${process.pid ?? '?'})`) : '-',
    address ?? '-',
    published.join(', ') || '-',
    // Who published it knows how to reach it.
    published.length > 0 ? '' : (reason ?? ''),
  ];
}

function toPublishedRow({ vm }: VmPorts, port: PublishedPortState, isServed: boolean): string[] {
  const note = port.reason ?? (isServed ? '' : 'nothing listens in the guest');
  return [vm, `${port.guestPort}/${port.protocol}`, '-', '-', '-', formatPublished(port), note];
}
