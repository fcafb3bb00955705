import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { QmpEvent } from '#hypervisor/qemu/qmp-messages.ts';
import { QmpConnections } from '#hypervisor/qemu/qmp-connections.ts';
import { QmpClient, QmpCommandError, QmpConnectionError } from '#hypervisor/qemu/qmp.ts';

interface Command {
  execute: string;
  arguments: object;
  id: number;
}

type Script = (command: Command, socket: Socket) => void;

interface QmpServer extends AsyncDisposable {
  path: string;
  /** Clients so far. */
  accepted: number;
  current: Socket | undefined;
}

const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\r\n';

function reply(socket: Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\r\n`);
}

/** Greets, agrees on capabilities, and leaves all else to `script`. Like QEMU it serves one client at a time. */
async function serveQmp(script: Script, greeting = GREETING): Promise<QmpServer> {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-qmp-'));
  const waiting: Socket[] = [];
  const serveNext = () => {
    server.current = waiting.shift();
    const socket = server.current;
    if (!socket) return;
    socket.once('close', serveNext);
    socket.write(greeting);
    createInterface(socket).on('line', (line) => {
      const command = JSON.parse(line) as Command;
      if (command.execute === 'qmp_capabilities') reply(socket, { return: {}, id: command.id });
      else script(command, socket);
    });
  };
  const listener = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    server.accepted += 1;
    waiting.push(socket);
    if (!server.current || server.current.destroyed) serveNext();
  });
  const server: QmpServer = {
    path: join(folder, 'qmp.sock'),
    accepted: 0,
    current: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of [...waiting, server.current]) socket?.destroy();
      listener.close();
      await rm(folder, { recursive: true });
    },
  };
  listener.listen(server.path);
  await once(listener, 'listening');
  return server;
}

test('commands get their own answers, whatever the order', async () => {
  const late: (() => void)[] = [];
  await using server = await serveQmp(({ execute, id }, socket) => {
    if (execute === 'first') late.push(() => reply(socket, { return: 'one', id }));
    else for (const answer of [() => reply(socket, { return: 'two', id }), ...late]) answer();
  });
  using client = await QmpClient.open(server.path);
  assert.deepEqual(await Promise.all([client.execute('first'), client.execute('second')]), ['one', 'two']);
});

test('a command that is refused rejects, and the session goes on', async () => {
  await using server = await serveQmp(({ execute, id }, socket) => {
    if (execute === 'good') reply(socket, { return: {}, id });
    else reply(socket, { error: { class: 'GenericError', desc: 'no such thing' }, id });
  });
  using client = await QmpClient.open(server.path);
  await assert.rejects(client.execute('bad'), (error) => {
    assert.ok(error instanceof QmpCommandError);
    assert.equal(error.message, 'QMP command bad failed: no such thing');
    return true;
  });
  assert.deepEqual(await client.execute('good'), {});
});

test('events reach who listens, until they stop', async () => {
  await using server = await serveQmp(({ id }, socket) => {
    reply(socket, { event: 'STOP', data: { n: id } });
    reply(socket, { return: {}, id });
  });
  using client = await QmpClient.open(server.path);
  const seen: QmpEvent[] = [];
  const stop = client.onEvent((event) => seen.push(event));
  await client.execute('x');
  stop();
  await client.execute('y');
  assert.deepEqual(
    seen.map(({ name }) => name),
    ['STOP'],
  );
});

test('a session that ends rejects what waits for an answer, and what comes after', async () => {
  await using server = await serveQmp((_, socket) => socket.destroy());
  using client = await QmpClient.open(server.path);
  await assert.rejects(client.execute('quit'), QmpConnectionError);
  await client.closed;
  await assert.rejects(client.execute('again'), QmpConnectionError);
});

test('cancelling a command ends the wait, not the session; the late answer is dropped', async () => {
  const sockets: (() => void)[] = [];
  await using server = await serveQmp(({ execute, id }, socket) => {
    if (execute === 'slow') sockets.push(() => reply(socket, { return: 'late', id }));
    else reply(socket, { return: 'quick', id });
  });
  using client = await QmpClient.open(server.path);
  const reason = new Error('enough');
  const cancelling = new AbortController();
  const slow = client.execute('slow', {}, { signal: cancelling.signal });
  await client.execute('quick');
  cancelling.abort(reason);
  await assert.rejects(slow, reason);
  for (const answer of sockets) answer();
  assert.equal(await client.execute('quick'), 'quick');
});

for (const [title, greeting] of Object.entries({
  'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
  'a line without end': 'x'.repeat(2 ** 21),
  'JSON of another kind': '[1, 2]\r\n',
})) {
  test(`the other end speaks ${title}`, async () => {
    await using server = await serveQmp(() => {}, greeting);
    await assert.rejects(QmpClient.open(server.path), /the other end does not speak QMP/);
  });
}

test('nobody listens', async () => {
  await assert.rejects(QmpClient.open('/nonexistent/qmp.sock'), QmpConnectionError);
});

test('a server that does not greet is left when told so', async () => {
  await using server = await serveQmp(() => {}, '');
  await assert.rejects(QmpClient.open(server.path, { signal: AbortSignal.timeout(50) }), {
    name: 'TimeoutError',
  });
});

test('users at the same time share one session, later ones get another', async () => {
  await using server = await serveQmp(({ id }, socket) => reply(socket, { return: id, id }));
  const connections = new QmpConnections();
  const first = Promise.withResolvers<void>();
  const long = connections.use(server.path, () => first.promise);
  await Promise.all([1, 2, 3].map(() => connections.use(server.path, (client) => client.execute('x'))));
  assert.equal(server.accepted, 1);
  first.resolve();
  await long;
  await connections.use(server.path, (client) => client.execute('x'));
  assert.equal(server.accepted, 2);
});

test('a shared session that broke is not handed out again', async () => {
  await using server = await serveQmp(({ execute, id }, socket) => {
    if (execute === 'break') socket.destroy();
    else reply(socket, { return: 'fine', id });
  });
  const connections = new QmpConnections();
  await connections.use(server.path, async (client) => {
    await assert.rejects(client.execute('break'), QmpConnectionError);
    await client.closed;
    assert.equal(await connections.use(server.path, (fresh) => fresh.execute('x')), 'fine');
  });
});

test('one who gives up while the session opens does not spoil it for the others', async () => {
  await using server = await serveQmp(({ id }, socket) => reply(socket, { return: 'fine', id }));
  const connections = new QmpConnections();
  const reason = new Error('enough');
  const impatient = connections.use(server.path, async () => 'used', { signal: AbortSignal.abort(reason) });
  const patient = connections.use(server.path, (client) => client.execute('x'));
  await assert.rejects(impatient, reason);
  assert.equal(await patient, 'fine');
});
