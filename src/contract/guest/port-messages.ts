import { Fields, FieldsBuilder } from './fields.ts';
import { MalformedError } from './malformed.ts';
import { openFields, Operation } from './open.ts';
import { plainText } from './plain-text.ts';

/** A socket in the guest that listens (TCP) or is bound (UDP). */
export interface ListeningPort {
  protocol: 'tcp' | 'udp';
  /** As text: `0.0.0.0`, `::1`. */
  address: string;
  port: number;
  inode: number;
  pid?: number | undefined;
  processName?: string | undefined;
}

export interface PortsRequest {
  /** Leave out pid and name of the processes, which take the guest most of the time. */
  withoutOwners?: boolean | undefined;
}

const WITHOUT_OWNERS = 1;
const ENTRY_BYTES = 28;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;

export function encodePortsOpen({ withoutOwners = false }: PortsRequest): Uint8Array {
  const fields = openFields(Operation.PORTS);
  return withoutOwners ? fields.u32(2, WITHOUT_OWNERS).build() : fields.build();
}

/** @throws MalformedError */
export function decodePortsOpen(payload: Uint8Array): PortsRequest {
  return { withoutOwners: ((new Fields(payload).number(2) ?? 0) & WITHOUT_OWNERS) !== 0 };
}

export function encodePorts(ports: readonly ListeningPort[]): Uint8Array {
  const fields = new FieldsBuilder();
  for (const port of ports) fields.bytes(1, encodePort(port));
  return fields.build();
}

/** @throws MalformedError */
export function decodePorts(payload: Uint8Array): ListeningPort[] {
  return new Fields(payload).all(1).map(decodePort);
}

function decodePort(entry: Uint8Array): ListeningPort {
  if (entry.length < ENTRY_BYTES) throw new MalformedError(`a port entry of ${entry.length} bytes`);
  const view = new DataView(entry.buffer, entry.byteOffset, ENTRY_BYTES);
  const number = view.getUint8(0);
  if (number !== PROTOCOLS.tcp && number !== PROTOCOLS.udp)
    throw new MalformedError(`a port of protocol ${number}`);
  const pid = view.getUint32(24, true);
  const name = plainText(new TextDecoder().decode(entry.subarray(ENTRY_BYTES)), 64);
  return {
    protocol: number === PROTOCOLS.tcp ? 'tcp' : 'udp',
    address: formatAddress(view.getUint8(1), entry.subarray(8, 24)),
    port: view.getUint16(2, true),
    inode: view.getUint32(4, true),
    ...(pid === 0 ? {} : { pid }),
    ...(name === '' ? {} : { processName: name }),
  };
}

function formatAddress(family: number, bytes: Uint8Array): string {
  if (family === 4) return bytes.subarray(0, 4).join('.');
  if (family !== 6) throw new MalformedError(`a port of address family ${family}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16)).join(':');
  // The URL parser knows the short form of RFC 5952.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

function encodePort(port: ListeningPort): Uint8Array {
  const name = new TextEncoder().encode(port.processName ?? '');
  const entry = new Uint8Array(ENTRY_BYTES + name.length);
  const view = new DataView(entry.buffer);
  const isV4 = !port.address.includes(':');
  view.setUint8(0, PROTOCOLS[port.protocol]);
  view.setUint8(1, isV4 ? 4 : 6);
  view.setUint16(2, port.port, true);
  view.setUint32(4, port.inode, true);
  entry.set(isV4 ? port.address.split('.').map(Number) : parseV6(port.address), 8);
  view.setUint32(24, port.pid ?? 0, true);
  entry.set(name, ENTRY_BYTES);
  return entry;
}

function parseV6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const after = tail === undefined ? [] : groups(tail);
  const before = groups(head);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return all.flatMap((group) => [group >>> 8, group & 0xff]);
}
