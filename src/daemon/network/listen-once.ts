import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { PortProtocol } from '#contract/owner/vm.ts';
import type { HostPort } from './forward.ts';

/** Listens on a port of the host and lets go of it again. @throws what the system says when it cannot */
export async function listenOnce(protocol: PortProtocol, { address, port }: HostPort): Promise<void> {
  const socket = protocol === 'tcp' ? createServer() : createSocket('udp4');
  if ('listen' in socket) socket.listen({ host: address, port, exclusive: true });
  else socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}
