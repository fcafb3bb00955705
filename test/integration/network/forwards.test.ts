import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { VmForwards } from '#daemon/network/vm-forwards.ts';
import { AgentClient } from '#guest/agent-client.ts';
import { FakeAgent } from '#guest/fake/fake-agent.ts';
import { newFakeGuestState } from '#guest/fake/fake-guest-state.ts';

const ADDRESS = '127.77.201.1';
const TIMEOUT_MS = 20_000;
const MiB = 2 ** 20;

/** A guest whose ports are those of this machine, with its forwards. */
async function startGuest() {
  const [hostEnd, guestEnd] = duplexPair();
  const state = newFakeGuestState();
  state.ports.length = 0;
  new FakeAgent(guestEnd, state);
  const agent = await AgentClient.connect(hostEnd);
  let uses = 0;
  const forwards = new VmForwards({
    hostAddress: ADDRESS,
    agent: async () => agent,
    onUse: () => (uses += 1),
    log: silentLogger,
  });
  return {
    state,
    forwards,
    uses: () => uses,
    /** The guest listens on this port, and nothing else. */
    listensOn: async (port: number, address = '0.0.0.0') => {
      state.ports.splice(0, state.ports.length, { protocol: 'tcp', address, port, inode: 1 });
      await forwards.observe(await agent.ports());
    },
    async [Symbol.asyncDispose]() {
      forwards.close();
      await agent.close();
    },
  };
}

/** A server of this machine for one kind of connection; what is open ends with it. */
async function serve(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: ADDRESS, port, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => {}); // its close follows
  return socket;
}

/** How the host says no: it resets, sooner or later. */
async function isReset(port: number): Promise<boolean> {
  const socket = connect({ host: ADDRESS, port });
  const [error] = (await once(socket, 'error')) as [Error];
  return systemErrorCode(error) === 'ECONNRESET';
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const echo = (socket: Socket) => void socket.pipe(socket);

describe('a connection through a forwarded port', () => {
  it('carries much in both directions at once, unchanged', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    await using server = await serve(echo);
    await guest.listensOn(server.port);
    const data = randomBytes(16 * MiB);
    const socket = await open(server.port);
    const answer = buffer(socket);
    socket.end(data);
    assert.equal(hash(await answer), hash(data));
    assert.equal(guest.uses(), 1);
  });

  it('passes the end of one direction on and keeps the other', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    let heard = '';
    const told = Promise.withResolvers<void>();
    await using server = await serve((socket) => {
      socket.end('greeting'); // its own direction first
      socket.on('data', (part) => (heard += part.toString()));
      socket.on('end', () => told.resolve());
    });
    await guest.listensOn(server.port);
    const socket = await open(server.port);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    assert.equal(greeting.toString(), 'greeting');
    await once(socket, 'end');
    socket.end('late words');
    await told.promise;
    assert.equal(heard, 'late words');
  });

  it(
    'delivers what was sent before its end to a slow reader that said goodbye first',
    {
      timeout: TIMEOUT_MS,
    },
    async () => {
      await using guest = await startGuest();
      const received = Promise.withResolvers<Buffer>();
      await using server = await serve((socket) => {
        socket.end();
        setTimeout(() => void buffer(socket).then(received.resolve, received.reject), 300);
      });
      await guest.listensOn(server.port);
      const data = randomBytes(8 * MiB);
      const socket = await open(server.port);
      socket.resume();
      await once(socket, 'end');
      socket.end(data);
      assert.equal(hash(await received.promise), hash(data));
    },
  );

  it(
    'ends in the guest when it breaks on the host, and the other way round',
    { timeout: TIMEOUT_MS },
    async () => {
      await using guest = await startGuest();
      await using server = await serve((socket) => socket.resume().on('end', () => socket.end()));
      await guest.listensOn(server.port);
      const socket = await open(server.port);
      await pollUntil(() => (server.sockets.size === 1 ? true : undefined));
      socket.resetAndDestroy();
      await pollUntil(() => (server.sockets.size === 0 ? true : undefined));

      const other = await open(server.port);
      await pollUntil(() => (server.sockets.size === 1 ? true : undefined));
      for (const inGuest of server.sockets) inGuest.resetAndDestroy();
      other.resume();
      other.on('end', () => other.end());
      await once(other, 'close');
    },
  );

  it('slows a sender down to what its reader takes', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    let sent = 0;
    await using server = await serve((socket) => {
      const more = () => {
        while (sent < 64 * MiB) {
          sent += MiB;
          if (!socket.write(Buffer.alloc(MiB))) return;
        }
      };
      socket.on('drain', more);
      more();
    });
    await guest.listensOn(server.port);
    const socket = await open(server.port);
    socket.pause();
    await wait(500);
    const before = sent;
    await wait(300);
    assert.equal(sent, before, 'nothing more is taken');
    assert.ok(sent < 32 * MiB, `${sent / MiB} MiB were taken without a reader`);
    socket.destroy();
  });

  it('is reset when the guest refuses it', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    const server = await serve(echo);
    await guest.listensOn(server.port);
    await server[Symbol.asyncDispose]();
    assert.ok(await isReset(server.port));
  });

  it('outlives its listener, and not its VM', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    await using server = await serve(echo);
    await guest.listensOn(server.port);
    const socket = await open(server.port);
    socket.write('one');
    assert.equal(String((await once(socket, 'data'))[0]), 'one');
    await guest.listensOn(9);
    await assert.rejects(open(server.port), (error) => systemErrorCode(error) === 'ECONNREFUSED');
    socket.write('two');
    assert.equal(String((await once(socket, 'data'))[0]), 'two');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    guest.forwards.close();
    await closed;
  });

  it('is one of 128 at most', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    await using server = await serve(echo);
    await guest.listensOn(server.port);
    const sockets = await Promise.all(Array.from({ length: 128 }, () => open(server.port)));
    await pollUntil(() => (server.sockets.size === 128 ? true : undefined));
    assert.ok(await isReset(server.port));
    for (const socket of sockets.splice(0, 1)) socket.destroy();
    await pollUntil(() => (server.sockets.size === 127 ? true : undefined));
    const next = await open(server.port);
    next.end('room again');
    assert.equal(await text(next), 'room again');
    for (const socket of sockets) socket.destroy();
  });
});

describe('the ports of a hostile guest', () => {
  it('are forwarded up to a bound, and given back', { timeout: TIMEOUT_MS }, async () => {
    await using guest = await startGuest();
    const ports = Array.from({ length: 1500 }, (_, index) => ({
      protocol: 'tcp' as const,
      address: '0.0.0.0',
      port: 40_000 + index,
      inode: index,
    }));
    await guest.forwards.observe(ports);
    const active = ports.filter(({ port }) => guest.forwards.automaticState(port)?.active);
    assert.equal(active.length, 256);
    for (let round = 0; round < 20; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after another, as a guest does it
      await guest.forwards.observe(round % 2 === 0 ? [] : ports.slice(0, 256));
    }
    await guest.forwards.observe([]);
    await assert.rejects(open(40_000), (error) => systemErrorCode(error) === 'ECONNREFUSED');
  });
});
