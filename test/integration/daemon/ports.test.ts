import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { isUserError } from '#contract/errors.ts';
import type { ErrorCode } from '#contract/errors.ts';
import type { BangerClient, Vm } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

const TIMEOUT_MS = 60_000;
/** What the issue allows between listening in the guest and being reachable. */
const REACHABLE_MS = 1000;

/** Something that answers on this machine, which is what a fake guest's ports lead to. */
async function answering(word = 'hello'): Promise<Server & AsyncDisposable & { port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    let question = '';
    socket.on('data', (part) => (question += part.toString()));
    socket.on('end', () => socket.end(`${word} ${question}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(server, { port });
}

async function freePort(): Promise<number> {
  await using server = await answering();
  return server.port;
}

async function ask(host: string, port: number, question: string): Promise<string> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  socket.end(question);
  return text(socket);
}

/** A port that goes while the connection waits to be accepted resets it: then it was still there. */
async function isRefused(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    const code = systemErrorCode(error);
    assert.match(code ?? '', /^(ECONNREFUSED|ECONNRESET)$/);
    return code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

async function run(client: BangerClient, vm: Vm, ...argv: string[]): Promise<void> {
  const command = await client.vms.exec(vm.id, { argv });
  command.stdout.resume();
  command.stderr.resume();
  assert.deepEqual(await command.wait(), { exitCode: 0 });
}

async function newVm(client: BangerClient, name: string): Promise<Vm & { hostAddress: string }> {
  const vm = await (await client.vms.create({ name })).result();
  assert.match(vm.hostAddress ?? '', /^127\.77\.\d+\.\d+$/);
  return vm as Vm & { hostAddress: string };
}

function until(condition: () => Promise<boolean>, timeoutMs = 5000): Promise<true> {
  return pollUntil(async () => ((await condition()) ? true : undefined), {
    signal: AbortSignal.timeout(timeoutMs),
  });
}

async function rejectsWith(code: ErrorCode, promise: Promise<unknown>, message?: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isUserError(error, code), `expected ${code}, got ${String(error)}`);
    if (message) assert.match(error.message, message);
    return true;
  });
}

describe('The ports of a VM', () => {
  it('are reachable at its address as long as the guest listens', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    await using server = await answering();
    using client = await home.start();
    const vm = await newVm(client, 'demo');
    assert.ok(await isRefused(vm.hostAddress, server.port));

    await run(client, vm, 'listen', String(server.port));
    await until(async () => !(await isRefused(vm.hostAddress, server.port)), REACHABLE_MS);
    assert.equal(await ask(vm.hostAddress, server.port, 'you'), 'hello you');

    const { ports } = await client.ports.list('demo');
    assert.partialDeepStrictEqual(
      ports.find(({ port }) => port === server.port),
      {
        protocol: 'tcp',
        addresses: ['0.0.0.0'],
        process: { name: 'listen' },
        endpoint: `${vm.hostAddress}:${server.port}`,
        name: `demo.vm:${server.port}`,
      },
    );

    await run(client, vm, 'unlisten', String(server.port));
    await until(() => isRefused(vm.hostAddress, server.port), 2000);
  });

  it('are reachable again after the daemon was killed', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    await using server = await answering();
    const port = await freePort();
    using client = await home.start();
    const vm = await newVm(client, 'demo');
    await run(client, vm, 'listen', String(server.port));
    await client.ports.publish('demo', { hostPort: port, guestPort: server.port });
    await until(async () => !(await isRefused(vm.hostAddress, server.port)));
    await home.killDaemon();
    await until(() => isRefused(vm.hostAddress, server.port));

    using again = await home.start();
    await until(async () => !(await isRefused(vm.hostAddress, server.port)), 3000);
    assert.equal(await ask(vm.hostAddress, server.port, 'again'), 'hello again');
    assert.equal(await ask('127.0.0.1', port, 'published'), 'hello published');
    assert.equal((await again.vms.get('demo')).hostAddress, vm.hostAddress);
  });

  it('go with the VM, and their connections too', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    await using server = await answering();
    using client = await home.start();
    const vm = await newVm(client, 'demo');
    await run(client, vm, 'listen', String(server.port));
    await until(async () => !(await isRefused(vm.hostAddress, server.port)));
    const open = connect({ host: vm.hostAddress, port: server.port });
    open.on('error', () => {});
    open.write('half a question');
    await once(open, 'connect');
    await (await client.vms.stop('demo', { timeoutMs: 0 })).result();
    if (!open.closed) await once(open, 'close');
    assert.ok(await isRefused(vm.hostAddress, server.port));
  });

  it('say why they cannot be reached', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    const vm = await newVm(client, 'demo');
    await using everywhere = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
    await once(everywhere, 'listening');
    const { port: taken } = everywhere.address() as AddressInfo;
    await run(client, vm, 'listen', String(taken));
    await run(client, vm, 'listen', '5355', '127.0.0.53');
    await run(client, vm, 'listen', '5356', '0.0.0.0', 'udp');
    const { ports } = await client.ports.list('demo');
    const reasonOf = (port: number) => ports.find((one) => one.port === port)?.reason;
    assert.match(reasonOf(taken) ?? '', /something on the host listens on port \d+ already/);
    assert.match(reasonOf(5355) ?? '', /listens on 127\.0\.0\.53 alone/);
    assert.match(reasonOf(5356) ?? '', /where it is published/);
  });

  it('tell what speaks HTTP', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    const { createServer: createHttpServer } = await import('node:http');
    await using web = createHttpServer((_, response) => response.end('hi')).listen(0, '127.0.0.1');
    await using mute = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await Promise.all([once(web, 'listening'), once(mute, 'listening')]);
    const [webPort, mutePort] = [web, mute].map((server) => (server.address() as AddressInfo).port);
    using client = await home.start();
    const vm = await newVm(client, 'demo');
    await run(client, vm, 'listen', String(webPort));
    await run(client, vm, 'listen', String(mutePort));
    const begunAt = performance.now();
    const { ports } = await client.ports.list('demo');
    assert.ok(performance.now() - begunAt < 2000);
    assert.equal(ports.find(({ port }) => port === webPort)?.scheme, 'http');
    assert.equal(ports.find(({ port }) => port === mutePort)?.scheme, undefined);
  });
});

describe('A published port', () => {
  it('leads to the guest whenever the VM runs', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    await using server = await answering();
    const port = await freePort();
    using client = await home.start();
    await (await client.vms.create({ name: 'demo', start: false })).result();
    const [stopped] = await client.ports.publish('demo', { hostPort: port, guestPort: server.port });
    assert.deepEqual(stopped, {
      hostAddress: '127.0.0.1',
      hostPort: port,
      guestPort: server.port,
      protocol: 'tcp',
      active: false,
      reason: 'the VM is stopped',
    });
    assert.ok(await isRefused('127.0.0.1', port));
    await (await client.vms.start('demo')).result();
    assert.equal(await ask('127.0.0.1', port, 'you'), 'hello you');
    assert.equal((await client.ports.list('demo')).published[0]?.active, true);
    await (await client.vms.stop('demo', { timeoutMs: 0 })).result();
    assert.ok(await isRefused('127.0.0.1', port));
    await (await client.vms.start('demo')).result();
    assert.equal(await ask('127.0.0.1', port, 'again'), 'hello again');
    await client.ports.unpublish('demo', port);
    assert.ok(await isRefused('127.0.0.1', port));
    assert.deepEqual((await client.vms.get('demo')).published, []);
    await rejectsWith('PORT_NOT_PUBLISHED', client.ports.unpublish('demo', port));
  });

  it('carries datagrams to the guest and back', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    const echo = createSocket('udp4', (datagram, { port, address }) => echo.send(datagram, port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    const port = await freePort();
    using client = await home.start();
    await newVm(client, 'demo');
    await client.ports.publish('demo', { hostPort: port, guestPort: echo.address().port, protocol: 'udp' });
    const peers = [createSocket('udp4'), createSocket('udp4')];
    for (const [index, peer] of peers.entries()) {
      for (const word of ['one', 'two']) {
        peer.send(`${word} of ${index}`, port, '127.0.0.1');
        const [answer] = (await once(peer, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer];
        assert.equal(answer.toString(), `${word} of ${index}`);
      }
    }
    for (const socket of [echo, ...peers]) socket.close();
  });

  it('is refused when another has it, before anything is stored', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    await using holder = await answering();
    const port = await freePort();
    using client = await home.start();
    for (const name of ['one', 'two']) await (await client.vms.create({ name, start: false })).result();

    await client.ports.publish('one', { hostPort: port, guestPort: 80 });
    await rejectsWith(
      'PORT_TAKEN',
      client.ports.publish('two', { hostPort: port, guestPort: 80 }),
      /by "one"/,
    );
    const anywhere = { hostAddress: '0.0.0.0', hostPort: port, guestPort: 80 };
    await rejectsWith('PORT_TAKEN', client.ports.publish('two', anywhere), /by "one"/);
    const held = { hostPort: holder.port, guestPort: 80 };
    await rejectsWith('PORT_TAKEN', client.ports.publish('two', held), /already/);
    await rejectsWith(
      'INVALID_ARGUMENT',
      client.ports.publish('two', { hostAddress: '192.0.2.1', hostPort: port, guestPort: 80 }),
      /no address 192\.0\.2\.1/,
    );
    assert.deepEqual((await client.vms.get('two')).published, []);
    // The same again is no conflict with itself.
    await client.ports.publish('one', { hostPort: port, guestPort: 80 });
    assert.equal((await client.vms.get('one')).published.length, 1);
  });

  it('is given to one of two who ask at once', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    const port = await freePort();
    using client = await home.start();
    for (const name of ['one', 'two']) await (await client.vms.create({ name, start: false })).result();
    const outcomes = await Promise.allSettled(
      ['one', 'two'].map((name) => client.ports.publish(name, { hostPort: port, guestPort: 80 })),
    );
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  });

  it('keeps a VM from starting when somebody took it', { timeout: TIMEOUT_MS }, async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    await (await client.vms.create({ name: 'demo', start: false })).result();
    const port = await freePort();
    await client.ports.publish('demo', { hostPort: port, guestPort: 80 });
    const thief = createServer().listen(port, '127.0.0.1');
    await once(thief, 'listening');
    await rejectsWith('PORT_TAKEN', (await client.vms.start('demo')).result(), /Cannot start "demo"/);
    const { state, lastError } = await client.vms.get('demo');
    assert.deepEqual([state, lastError?.code], ['stopped', 'PORT_TAKEN']);
    thief.close();
    await once(thief, 'close');
    await (await client.vms.start('demo')).result();
  });
});
