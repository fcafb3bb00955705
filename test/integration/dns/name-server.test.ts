import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { encode } from 'dns-packet';
import fc from 'fast-check';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { silentLogger, type LogFields } from '#base/log.ts';
import { VmNameServer, type VmNameServerOptions } from '#dns/vm-name-server.ts';
import { DnsTcpClient } from '../../support/dns-tcp-client.ts';
import { askUdp } from '../../support/dns-udp-client.ts';

async function serve(t: TestContext, options: Partial<VmNameServerOptions> = {}): Promise<VmNameServer> {
  const server = new VmNameServer({ log: silentLogger, port: 0, ...options });
  t.after(() => server.close());
  await server.start();
  server.set('demo', '127.77.3.4');
  return server;
}

const query = (name: string, id = 1): Buffer => encode({ id, questions: [{ name, type: 'A' }] });

const bound = () => ({ signal: AbortSignal.timeout(5000) });

test('names come and go over both transports', async (t) => {
  const server = await serve(t);
  const { port } = server.status();
  await using client = await DnsTcpClient.connect(port);
  for (const ask of [
    (name: string) => askUdp(port, query(name)),
    (name: string) => client.ask(query(name)),
  ]) {
    assert.deepEqual((await ask('demo.vm')).addresses, ['127.77.3.4']);
    server.set('late', '127.77.0.9');
    assert.deepEqual((await ask('late.vm')).addresses, ['127.77.0.9']);
    server.remove('late');
    assert.deepEqual((await ask('late.vm')).rcode, 'NXDOMAIN');
  }
});

test('several queries in one piece, and one in many, are answered in order', async (t) => {
  const server = await serve(t);
  await using client = await DnsTcpClient.connect(server.status().port);
  client.send([query('demo.vm', 1), query('nobody.vm', 2), query('demo.vm', 3)]);
  const replies = [await client.next(), await client.next(), await client.next()];
  assert.deepEqual(
    replies.map(({ id, rcode }) => [id, rcode]),
    [
      [1, 'NOERROR'],
      [2, 'NXDOMAIN'],
      [3, 'NOERROR'],
    ],
  );
  await client.sendBytewise(query('demo.vm', 4));
  assert.equal((await client.next()).id, 4);
});

test('a client that asks and closes its side still gets its answers', async (t) => {
  const server = await serve(t);
  await using client = await DnsTcpClient.connect(server.status().port);
  client.send([query('demo.vm', 1), query('demo.vm', 2)]);
  client.socket.end();
  assert.deepEqual([(await client.next()).id, (await client.next()).id], [1, 2]);
});

test('a client that announces too much, sends an answer, or drips is cut off', async (t) => {
  const server = await serve(t, { idleMs: 200 });
  const { port } = server.status();
  const pieces = {
    'an announcement of 64 KiB': Buffer.from([0xff, 0xff]),
    'an answer': Buffer.concat([Buffer.from([0, 12]), encode({ type: 'response', questions: [] })]),
    'an empty message': Buffer.from([0, 0]),
    'half a length': Buffer.from([0]),
  };
  for (const [what, bytes] of Object.entries(pieces)) {
    await using client = await DnsTcpClient.connect(port);
    client.socket.write(bytes);
    await client.cutOff().catch(() => assert.fail(what));
  }
  await using dripping = await DnsTcpClient.connect(port);
  const drips = setInterval(() => dripping.socket.write(Buffer.from([0])), 60);
  await dripping.cutOff().finally(() => clearInterval(drips));
});

test('no more clients than allowed, and room again when one leaves', async (t) => {
  const server = await serve(t, { maxConnections: 2 });
  const { port } = server.status();
  await using first = await DnsTcpClient.connect(port);
  await using second = await DnsTcpClient.connect(port);
  await Promise.all([first.ask(query('demo.vm')), second.ask(query('demo.vm'))]);
  await using third = await DnsTcpClient.connect(port);
  await third.cutOff();
  first.socket.destroy();
  const answered = await pollUntil(async () => {
    await using next = await DnsTcpClient.connect(port);
    return await next.ask(query('demo.vm')).catch(() => undefined);
  }, bound());
  assert.deepEqual(answered.addresses, ['127.77.3.4']);
});

test('a client that sends for ever and never reads does not make it grow', async (t) => {
  const server = await serve(t, { idleMs: 300 });
  await using client = await DnsTcpClient.connect(server.status().port);
  client.socket.pause();
  const queries = Array.from({ length: 2000 }, () => query('demo.vm'));
  const flood = () => {
    while (!client.socket.destroyed && client.send(queries));
  };
  client.socket.on('drain', flood);
  const before = process.memoryUsage().rss;
  flood();
  await new Promise((resolve) => client.socket.on('close', resolve));
  assert.ok(process.memoryUsage().rss - before < 128 * 2 ** 20);
  assert.deepEqual((await askUdp(server.status().port, query('demo.vm'))).addresses, ['127.77.3.4']);
});

test('noise over both transports changes nothing', async (t) => {
  const lines: string[] = [];
  const log = { ...silentLogger, error: (_fields: LogFields, message: string) => void lines.push(message) };
  const server = await serve(t, { log });
  const { port } = server.status();
  const noise = fc.sample(fc.uint8Array({ maxLength: 1400 }), { numRuns: 300, seed: 7 });
  const udp = createSocket('udp4');
  for (const bytes of noise) {
    udp.send(bytes, port, '127.0.0.1');
    await using client = await DnsTcpClient.connect(port);
    client.socket.write(bytes);
  }
  assert.deepEqual((await askUdp(port, query('demo.vm'))).addresses, ['127.77.3.4']);
  udp.close();
  assert.deepEqual(lines, []);
});

test('a port that is taken is no failure: it says why, and listens once the port is free', async (t) => {
  for (const kind of ['tcp', 'udp'] as const) {
    const { port, free } = await takePort(kind);
    const server = await serve(t, { port, retryMs: 20 });
    const status = server.status();
    assert.ok(!status.listening);
    assert.deepEqual([status.address, status.port], ['127.0.0.1', port]);
    assert.match(status.reason, /EADDRINUSE/);
    await free();
    await pollUntil(() => (server.status().listening ? true : undefined), bound());
    assert.deepEqual((await askUdp(port, query('demo.vm'))).addresses, ['127.77.3.4']);
    await server.close();
  }
});

test('it says once that it does not listen, and once that it does', async (t) => {
  const lines: string[] = [];
  const note = (level: string) => (_fields: LogFields, message: string) =>
    void lines.push(`${level}: ${message}`);
  const log = { ...silentLogger, info: note('info'), warn: note('warn') };
  const { port, free } = await takePort('udp');
  const server = await serve(t, { port, retryMs: 5, log });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await free();
  await pollUntil(() => (server.status().listening ? true : undefined), bound());
  assert.deepEqual(lines, [
    'warn: names of VMs are not served, trying again',
    'info: names of VMs are served',
  ]);
});

test('closing frees the port, ends connections and tries no more', async (t) => {
  const server = await serve(t, { retryMs: 5 });
  const { port } = server.status();
  await using client = await DnsTcpClient.connect(port);
  await client.ask(query('demo.vm'));
  await Promise.all([server.close(), client.cutOff()]);
  assert.equal(server.status().listening, false);
  const again = await serve(t, { port });
  assert.equal(again.status().listening, true);
  const { port: taken, free } = await takePort('tcp');
  const waiting = await serve(t, { port: taken, retryMs: 5 });
  await waiting.close();
  await free();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(waiting.status().listening, false);
});

/**
 * Somebody else on a port that both transports would need. It is one that no system gives out by itself: once it is free, nobody
 * else's connection may have it, over neither transport.
 */
async function takePort(kind: 'tcp' | 'udp'): Promise<{ port: number; free: () => Promise<void> }> {
  for (let port = 10_000 + (process.pid % 10_000); port < 32_000; port += 1) {
    const taken = await take(kind, port);
    const other = taken && (await take(kind === 'tcp' ? 'udp' : 'tcp', port));
    if (taken && other) {
      await other();
      return { port, free: taken };
    }
    await taken?.();
  }
  throw new Error('every port is taken');
}

async function take(kind: 'tcp' | 'udp', port: number): Promise<(() => Promise<void>) | undefined> {
  const tcp = kind === 'tcp' ? createServer() : undefined;
  const udp = kind === 'udp' ? createSocket('udp4') : undefined;
  try {
    await Promise.all([
      tcp && once(tcp.listen(port, '127.0.0.1'), 'listening'),
      udp && once(udp.bind(port, '127.0.0.1'), 'listening'),
    ]);
  } catch (error) {
    if (systemErrorCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
  return async () => {
    await tcp?.[Symbol.asyncDispose]();
    await udp?.[Symbol.asyncDispose]();
  };
}
