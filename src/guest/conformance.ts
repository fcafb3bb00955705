import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { raceAbort } from '#base/abort.ts';
import { isUserError } from '#contract/errors.ts';
import type { ErrorCode } from '#contract/errors.ts';
import { encodeExecOpen } from '#contract/guest/exec-messages.ts';
import { encodeFrame, FrameType } from '#contract/guest/frames.ts';
import { encodeHello } from '#contract/guest/hello.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import { AgentClient } from './agent-client.ts';

export interface AgentUnderTest {
  /** A new stream to the agent. */
  open(): Promise<Duplex>;
  /** A folder that the agent may fill. */
  folder: string;
}

const MiB = 2 ** 20;
const DEADLINE_MS = 10_000;
const TEST_TIMEOUT_MS = 30_000;

/** What every agent does, seen through {@link AgentClient}. */
export function describeAgent(name: string, start: () => Promise<AgentUnderTest & AsyncDisposable>): void {
  describe(`${name} as an agent`, () => {
    for (const [title, test] of Object.entries(AGENT_TESTS)) {
      it(title, { timeout: TEST_TIMEOUT_MS }, async () => {
        await using agent = await start();
        const client = await AgentClient.connect(await agent.open(), { signal: deadline() });
        try {
          await test(client, agent);
        } finally {
          await client.close();
        }
      });
    }
    it('begins a session on a stream that was cut anywhere in a frame', { timeout: TEST_TIMEOUT_MS }, () =>
      checkResync(start),
    );
  });
}

type AgentTest = (client: AgentClient, agent: AgentUnderTest) => Promise<void>;

const AGENT_TESTS: Record<string, AgentTest> = {
  async 'says who it is'({ hello }) {
    assert.equal(hello.generation, 1);
    assert.match(hello.bootId, /^[0-9a-f-]{36}$/);
    assert.notEqual(hello.kernelRelease, '');
    assert.notEqual(hello.agentVersion, '');
  },

  async 'answers pings, also many at once'(client) {
    const roundTrips = await Promise.all(
      Array.from({ length: 50 }, () => client.ping({ signal: deadline() })),
    );
    assert.ok(roundTrips.every((ms) => ms > 0 && ms < DEADLINE_MS));
  },

  async 'gives the status of a command'(client) {
    assert.deepEqual(await statusOf(client, ['true']), { exitCode: 0 });
    assert.deepEqual(await statusOf(client, ['false']), { exitCode: 1 });
    assert.deepEqual(await statusOf(client, ['sh', '-c', 'exit 42']), { exitCode: 42 });
    assert.deepEqual(await statusOf(client, ['sh', '-c', 'kill -9 $$']), { signal: 9 });
  },

  async 'keeps both outputs apart and whole'(client) {
    const command = await client.exec({ argv: ['sh', '-c', 'echo to out; echo to err >&2; exit 3'] });
    const [out, err, result] = await Promise.all([
      text(command.stdout),
      text(command.stderr),
      command.exited,
    ]);
    assert.deepEqual([out, err, result], ['to out\n', 'to err\n', { exitCode: 3 }]);
    assert.ok(command.pid > 0);
  },

  async 'passes words, environment and folder as they are'(client) {
    assert.equal(await outputOf(client, { argv: ['echo', 'a  b', '$HOME', 'ü'] }), 'a  b $HOME ü\n');
    assert.match(
      await outputOf(client, { argv: ['env'], env: { ANSWER: 'forty two=42' } }),
      /^ANSWER=forty two=42$/m,
    );
    assert.equal(await outputOf(client, { argv: ['pwd'], cwd: '/tmp' }), '/tmp\n');
  },

  async 'passes binary data through a command unchanged'(client) {
    const data = randomBytes(12 * MiB);
    const command = await client.exec({ argv: ['cat'] });
    command.stderr.resume();
    command.stdin.end(data);
    const [received, result] = await Promise.all([buffer(command.stdout), command.exited]);
    assert.deepEqual(result, { exitCode: 0 });
    assert.equal(hash(received), hash(data));
  },

  async 'lets one slow reader block nobody else'(client) {
    const slow = await client.exec({ argv: ['cat'] });
    slow.stdin.on('error', () => {});
    slow.stdin.end(randomBytes(4 * MiB));
    assert.equal(await outputOf(client, { argv: ['echo', 'still here'] }), 'still here\n');
    assert.equal((await buffer(slow.stdout)).length, 4 * MiB);
  },

  async 'runs many commands at once'(client) {
    const outputs = await Promise.all(
      Array.from({ length: 20 }, (_, index) => outputOf(client, { argv: ['echo', `number ${index}`] })),
    );
    assert.deepEqual(
      outputs,
      Array.from({ length: 20 }, (_, index) => `number ${index}\n`),
    );
  },

  async 'tells a command that is not there from one that may not run'(client) {
    await rejectsWith('COMMAND_NOT_FOUND', client.exec({ argv: ['no-such-command'] }));
    await rejectsWith('COMMAND_NOT_EXECUTABLE', client.exec({ argv: ['/etc/passwd'] }));
    assert.equal(await outputOf(client, { argv: ['echo', 'fine'] }), 'fine\n');
  },

  async 'refuses bad requests before they are sent'(client) {
    await rejectsWith('INVALID_ARGUMENT', client.exec({ argv: [] }));
    await rejectsWith('INVALID_ARGUMENT', client.exec({ argv: ['a\0b'] }));
    await rejectsWith('REQUEST_TOO_LARGE', client.exec({ argv: ['echo', 'x'.repeat(70_000)] }));
    await rejectsWith('INVALID_ARGUMENT', client.connectTcp(0));
  },

  async 'signals a command'(client) {
    const command = await client.exec({ argv: ['sleep', '60'] });
    command.stdout.resume();
    command.stderr.resume();
    command.kill(15);
    assert.deepEqual(await command.exited, { signal: 15 });
  },

  async 'ends a command that is given up'(client) {
    const command = await client.exec({ argv: ['sleep', '60'] });
    command.close();
    await rejectsWith('OPERATION_CANCELLED', command.exited);
    assert.ok((await client.ping({ signal: deadline() })) > 0);
  },

  async 'ends the input of a command that has ended'(client) {
    const command = await client.exec({ argv: ['true'] });
    command.stdout.resume();
    command.stderr.resume();
    assert.deepEqual(await command.exited, { exitCode: 0 });
    assert.equal(command.stdin.destroyed, true);
    command.stdin.write('nobody reads this');
  },

  async 'goes on when the reader of an output goes away'(client) {
    const command = await client.exec({ argv: ['cat'] });
    command.stdout.destroy();
    command.stderr.destroy();
    command.stdin.end(randomBytes(2 * MiB));
    assert.deepEqual(await command.exited, { exitCode: 0 });
  },

  async 'lists ports, reads the load, syncs'(client) {
    await client.sync({ signal: deadline() });
    const stats = await client.stats({ signal: deadline() });
    assert.ok(stats.memory.totalBytes > 16 * MiB && stats.uptimeMs > 0 && stats.processes > 0);
    assert.equal(stats.loadAverage.length, 3);
    for (const port of await client.ports({ signal: deadline() })) {
      assert.ok(port.port > 0 && /^(tcp|udp)$/.test(port.protocol), JSON.stringify(port));
    }
  },

  async 'unpacks and packs archives'(client, { folder }) {
    const content = randomBytes(700_000);
    const upload = await client.tarIn(`${folder}/in`);
    upload.archive.end(tarOf('file.bin', content));
    assert.deepEqual(await upload.result, { entries: 1, bytes: content.length });

    const download = client.tarOut(`${folder}/in`);
    const archive = await buffer(download.archive);
    assert.ok((await download.result).entries >= 1);
    assert.ok(archive.includes(content), 'the archive holds the content');
  },

  async 'gives the code of an operation that fails'(client, { folder }) {
    const { archive, result } = client.tarOut(`${folder}/not-there`);
    archive.resume();
    await rejectsWith('GUEST_OPERATION_FAILED', result, { guestCode: 'NOT_FOUND' });
  },

  async 'connects to a port, with half-close'(client) {
    await using server = await echoServer();
    const socket = await client.connectTcp(server.port, { signal: deadline() });
    const data = randomBytes(3 * MiB);
    socket.end(data);
    assert.equal(hash(await buffer(socket)), hash(data));
  },

  async 'tells that a port refuses'(client) {
    const server = await echoServer();
    await server[Symbol.asyncDispose]();
    await rejectsWith('GUEST_OPERATION_FAILED', client.connectTcp(server.port), { guestCode: 'REFUSED' });
  },

  async 'carries datagrams, whole'(client) {
    await using server = await datagramEchoServer();
    const datagrams = [Buffer.from('one'), Buffer.alloc(0), randomBytes(1400), randomBytes(60_000)];
    const received: Uint8Array[] = [];
    let news = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const onDatagram = (datagram: Uint8Array) => {
      received.push(datagram);
      news.resolve();
    };
    const socket = client.connectUdp({ port: server.port }, { onDatagram, onEnd: ended.resolve });
    for (const datagram of datagrams) {
      assert.ok(socket.send(datagram));
      await raceAbort(news.promise, deadline());
      news = Promise.withResolvers();
    }
    assert.deepEqual(
      received.map((bytes) => hash(bytes)),
      datagrams.map((bytes) => hash(bytes)),
    );
    socket.close();
    await raceAbort(ended.promise, deadline());
  },

  async 'fails what runs when the session ends'(client) {
    const command = await client.exec({ argv: ['sleep', '60'] });
    await client.close();
    await rejectsWith('GUEST_LINK_LOST', command.exited);
    await rejectsWith('GUEST_LINK_LOST', client.ping());
    assert.equal(await client.closed, undefined);
  },
};

/** An older host wrote half a session and vanished; what the agent still says to it must not confuse the new one. */
async function checkResync(start: () => Promise<AgentUnderTest & AsyncDisposable>): Promise<void> {
  const before = Buffer.concat([
    ...encodeFrame({ type: FrameType.HELLO, channel: 0, payload: encodeHello(oldHello()) }),
    ...encodeFrame({ type: FrameType.OPEN, channel: 1, payload: encodeExecOpen({ argv: ['cat'] }) }),
    ...encodeFrame({ type: FrameType.DATA, channel: 1, stream: 0, payload: randomBytes(200) }),
  ]);
  await using agent = await start();
  for (let cut = 0; cut <= before.length; cut += 1) {
    const stream = await agent.open();
    stream.write(before.subarray(0, cut));
    const client = await AgentClient.connect(stream, { signal: deadline() });
    assert.equal(await outputOf(client, { argv: ['echo', `cut at ${cut}`] }), `cut at ${cut}\n`);
    await client.close();
  }
}

function oldHello() {
  return { nonce: randomBytes(16), lowestGeneration: 1, highestGeneration: 1, entropy: randomBytes(8) };
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(DEADLINE_MS);
}

async function statusOf(client: AgentClient, argv: string[]) {
  const command = await client.exec({ argv }, { signal: deadline() });
  command.stdout.resume();
  command.stderr.resume();
  return command.exited;
}

async function outputOf(client: AgentClient, request: ExecRequest): Promise<string> {
  const command = await client.exec(request, { signal: deadline() });
  command.stderr.resume();
  command.stdin.end();
  const [output] = await Promise.all([text(command.stdout), command.exited]);
  return output;
}

async function rejectsWith(code: ErrorCode, promise: Promise<unknown>, details?: object): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isUserError(error, code), `expected ${code}, got ${String(error)}`);
    if (details) assert.partialDeepStrictEqual(error.details, details);
    return true;
  });
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A ustar archive with one file. */
function tarOf(name: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8) + '0', 148);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

async function datagramEchoServer(): Promise<{ port: number } & AsyncDisposable> {
  const server = createSocket('udp4', (datagram, { port, address }) => server.send(datagram, port, address));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    await once(server, 'close');
  };
  return { port: server.address().port, [Symbol.asyncDispose]: close };
}

async function echoServer(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    pipeline(socket, async (source: Readable) => {
      for await (const chunk of source) socket.write(chunk);
    })
      .then(() => socket.end())
      .catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}
