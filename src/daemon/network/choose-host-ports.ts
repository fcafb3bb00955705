import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { UserError } from '#contract/errors.ts';
import type { PortProtocol, PublishedPort } from '#contract/owner/vm.ts';
import { arePortsInConflict } from './published-ports.ts';

const HOST_ADDRESS = '127.0.0.1';
const MAX_PORTS = 64;
/** So often the system may offer a port that a VM which does not run has published. */
const MAX_OFFERS = 100;

/**
 * Free ports of the host's loopback for those that an image exposes, written as images do: `80/tcp`, `53/udp`, `8080`.
 *
 * @throws UserError `INVALID_ARGUMENT`, `PORT_TAKEN`
 */
export async function chooseHostPorts(
  exposed: readonly string[],
  published: readonly PublishedPort[],
): Promise<PublishedPort[]> {
  const wanted = exposed.map(parseExposedPort);
  if (wanted.length > MAX_PORTS) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot publish all ports: the image exposes ${wanted.length}, and a VM publishes at most ${MAX_PORTS}`,
      { hint: 'publish those that are needed: banger vm publish VM HOST:GUEST' },
    );
  }
  const chosen: PublishedPort[] = [];
  for (const port of wanted) chosen.push(await chooseOne(port, [...published, ...chosen]));
  return chosen;
}

type GuestPort = Pick<PublishedPort, 'guestPort' | 'protocol'>;

function parseExposedPort(text: string): GuestPort {
  const [, digits = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  const guestPort = Number(digits);
  if (guestPort >= 1 && guestPort <= 65_535) return { guestPort, protocol: protocol as PortProtocol };
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot publish the port "${text}" that the image exposes: it is no TCP or UDP port`,
    { hint: 'publish those that are needed: banger vm publish VM HOST:GUEST' },
  );
}

async function chooseOne(port: GuestPort, taken: readonly PublishedPort[]): Promise<PublishedPort> {
  for (let offers = 0; offers < MAX_OFFERS; offers += 1) {
    const offered = { ...port, hostAddress: HOST_ADDRESS, hostPort: await offeredPort(port.protocol) };
    if (!taken.some((one) => arePortsInConflict(one, offered))) return offered;
  }
  throw new UserError(
    'PORT_TAKEN',
    `Cannot publish port ${port.guestPort}/${port.protocol}: the host has no free port left`,
    { hint: 'give up some: banger vm ports shows who publishes which' },
  );
}

/** One that the system calls free. */
async function offeredPort(protocol: PortProtocol): Promise<number> {
  const socket = protocol === 'tcp' ? createServer() : createSocket('udp4');
  if ('listen' in socket) socket.listen({ host: HOST_ADDRESS, port: 0, exclusive: true });
  else socket.bind({ address: HOST_ADDRESS, port: 0, exclusive: true });
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  return port;
}
