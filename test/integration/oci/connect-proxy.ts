import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface ConnectProxy {
  url: string;
  /** What it was asked to reach. */
  asked: string[];
}

/** A proxy for encrypted connections, behind which there is one server, whatever it is called. Wants a password when given one. */
export async function startProxy(t: TestContext, server: string, password?: string): Promise<ConnectProxy> {
  const [host = '', port = ''] = server.split(':');
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on('connect', (request, client: Socket) => {
    asked.push(request.url ?? '');
    sockets.add(client);
    const wanted = `Basic ${Buffer.from(password ?? '').toString('base64')}`;
    if (password !== undefined && request.headers['proxy-authorization'] !== wanted) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    sockets.add(upstream);
    for (const socket of [client, upstream]) socket.on('error', () => upstream.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}
