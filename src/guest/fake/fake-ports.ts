import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { DatagramDecoder, frameDatagram } from '#contract/guest/datagrams.ts';
import { GuestStream } from '#contract/guest/flow-control.ts';
import { decodePortsOpen } from '#contract/guest/port-messages.ts';
import type { ListeningPort } from '#contract/guest/port-messages.ts';
import { decodeConnectOpen } from '#contract/guest/transfer-messages.ts';
import { FakeFailure } from './fake-channel.ts';
import type { FakeChannel } from './fake-channel.ts';
import type { FakeProgram } from './fake-program.ts';

export function listPorts(ports: readonly ListeningPort[], open: Uint8Array): ListeningPort[] {
  if (!decodePortsOpen(open).withoutOwners) return [...ports];
  return ports.map(({ pid: _pid, processName: _name, ...port }) => port);
}

/** The fake guest's ports are those of this machine. @throws FakeFailure */
export async function connectUdp(channel: FakeChannel, open: Uint8Array): Promise<void> {
  const { port, host = '127.0.0.1' } = decodeConnectOpen(open);
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => {}); // that nobody listens is no end
  socket.on('message', (datagram) => void channel.write(GuestStream.OUTPUT, frameDatagram(datagram)));
  socket.connect(port, host);
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw new FakeFailure('REFUSED', `port ${port}: ${String(error)}`);
  }
  channel.opened();
  await sendAll(channel, socket);
  socket.close();
  channel.endOutput(GuestStream.OUTPUT);
  channel.result();
}

async function sendAll(channel: FakeChannel, socket: Socket): Promise<void> {
  const decoder = new DatagramDecoder();
  for await (const chunk of channel.input()) decoder.push(chunk, (datagram) => socket.send(datagram));
}

/**
 * `listen PORT [ADDRESS [tcp|udp]]` and `unlisten PORT`: what the guest says of its ports. Who connects to one reaches the same
 * port of this machine, where a test has something that answers.
 */
export function listenerPrograms(ports: ListeningPort[]): [string, FakeProgram][] {
  let lastInode = 1000;
  const listen: FakeProgram = async ({ request: { argv } }) => {
    const [, port = '', address = '0.0.0.0', protocol = 'tcp'] = argv;
    lastInode += 1;
    ports.push({
      protocol: protocol === 'udp' ? 'udp' : 'tcp',
      address,
      port: Number(port),
      inode: lastInode,
      pid: 500,
      processName: 'listen',
    });
    return { exitCode: 0 };
  };
  const unlisten: FakeProgram = async ({ request: { argv } }) => {
    const kept = ports.filter(({ port }) => port !== Number(argv[1]));
    ports.splice(0, ports.length, ...kept);
    return { exitCode: 0 };
  };
  return [
    ['listen', listen],
    ['unlisten', unlisten],
  ];
}
