import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A UDP port of the loopback that was free a moment ago. */
export async function findFreeUdpPort(): Promise<number> {
  await using socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}
