import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode } from 'dns-packet';

export interface DnsReply {
  id: number;
  rcode: string;
  /** Of the A records. */
  addresses: string[];
}

/** Asks once and waits for the answer; 5 s at most. */
export async function askUdp(port: number, query: Buffer): Promise<DnsReply> {
  await using socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  const bound = { signal: AbortSignal.timeout(5000) };
  await once(socket, 'connect', bound);
  socket.send(query);
  const [reply] = (await once(socket, 'message', bound)) as [Buffer];
  return readDnsReply(reply);
}

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

export function readDnsReply(message: Buffer): DnsReply {
  const { id = 0, answers = [] } = decode(message);
  const rcode = message.readUInt16BE(2) & 0xf;
  const addresses = answers.flatMap((record) => (record.type === 'A' ? [record.data] : []));
  return { id, rcode: RCODES[rcode] ?? `rcode ${rcode}`, addresses };
}
