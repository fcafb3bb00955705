/** As much of TCP, UDP and IPv4 (RFC 9293, 768, 791) as a test needs that makes its own packets. */
export interface Endpoints {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
}

export interface TcpSegment {
  sequence: number;
  acknowledgment: number;
  flags: number;
  payload: Buffer;
}

export const TCP = 6;
export const UDP = 17;
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

const IPV4_HEADER = 20;

export function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

export function udpPacket(ends: Endpoints, payload: Buffer): Buffer {
  const datagram = Buffer.alloc(8 + payload.length);
  datagram.writeUInt16BE(ends.sourcePort, 0);
  datagram.writeUInt16BE(ends.destinationPort, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  payload.copy(datagram, 8);
  datagram.writeUInt16BE(checksum(Buffer.concat([pseudoHeader(ends, UDP, datagram.length), datagram])), 6);
  return ipv4Packet(ends, UDP, datagram);
}

export function tcpPacket(ends: Endpoints, segment: TcpSegment): Buffer {
  const bytes = Buffer.alloc(20 + segment.payload.length);
  bytes.writeUInt16BE(ends.sourcePort, 0);
  bytes.writeUInt16BE(ends.destinationPort, 2);
  bytes.writeUInt32BE(segment.sequence, 4);
  bytes.writeUInt32BE(segment.acknowledgment, 8);
  bytes[12] = 5 << 4;
  bytes[13] = segment.flags;
  bytes.writeUInt16BE(0xffff, 14);
  segment.payload.copy(bytes, 20);
  bytes.writeUInt16BE(checksum(Buffer.concat([pseudoHeader(ends, TCP, bytes.length), bytes])), 16);
  return ipv4Packet(ends, TCP, bytes);
}

/** The protocol, the sender and what the IPv4 packet in this Ethernet frame carries. */
export function parseFrame(frame: Buffer): { protocol: number; source: string; content: Buffer } | undefined {
  if (frame.readUInt16BE(12) !== 0x0800) return undefined;
  const packet = frame.subarray(14, 14 + frame.readUInt16BE(16));
  const header = (packet[0]! & 0x0f) * 4;
  return {
    protocol: packet[9]!,
    source: packet.subarray(12, 16).join('.'),
    content: packet.subarray(header),
  };
}

export function parseTcp(bytes: Buffer): TcpSegment & { destinationPort: number } {
  return {
    destinationPort: bytes.readUInt16BE(2),
    sequence: bytes.readUInt32BE(4),
    acknowledgment: bytes.readUInt32BE(8),
    flags: bytes[13]!,
    payload: bytes.subarray((bytes[12]! >> 4) * 4),
  };
}

function ipv4Packet(ends: Endpoints, protocol: number, content: Buffer): Buffer {
  const header = Buffer.alloc(IPV4_HEADER);
  header[0] = 0x45;
  header.writeUInt16BE(IPV4_HEADER + content.length, 2);
  header.writeUInt16BE(0x4000, 6);
  header[8] = 64;
  header[9] = protocol;
  addressBytes(ends.source).copy(header, 12);
  addressBytes(ends.destination).copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, content]);
}

function pseudoHeader(ends: Endpoints, protocol: number, length: number): Buffer {
  const rest = Buffer.from([0, protocol, length >> 8, length & 0xff]);
  return Buffer.concat([addressBytes(ends.source), addressBytes(ends.destination), rest]);
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
