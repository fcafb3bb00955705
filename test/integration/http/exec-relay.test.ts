import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { encodeCredit, INITIAL_CREDIT_BYTES } from '#contract/guest/flow-control.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { encodeFrame, type Frame, FrameType, type OutgoingFrame } from '#contract/guest/frames.ts';
import { EXEC_CHANNEL, EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import { upgrade } from '#sdk/upgrade.ts';
import { ApiFixture } from './api-fixture.ts';

/** A client without manners: sends what a test tells it, whatever the protocol says. */
class RawExecClient {
  readonly frames: Frame[] = [];
  readonly #socket: Awaited<ReturnType<typeof upgrade>>['socket'];
  readonly #decoder = new FrameDecoder();

  static async open(socketPath: string, reference = 'demo'): Promise<RawExecClient> {
    const path = `/v1/vms/${reference}/exec`;
    return new RawExecClient(
      (await upgrade({ socketPath, path, protocol: EXEC_UPGRADE, firstBytes: new Uint8Array() })).socket,
    );
  }

  private constructor(socket: Awaited<ReturnType<typeof upgrade>>['socket']) {
    this.#socket = socket;
    socket.on('error', () => {});
  }

  read(): this {
    this.#socket.on('data', (chunk: Buffer) => this.#decoder.push(chunk, (frame) => this.frames.push(frame)));
    this.#socket.resume();
    return this;
  }

  send(frame: Partial<OutgoingFrame> & { type: FrameType }): this {
    for (const part of encodeFrame({ channel: EXEC_CHANNEL, ...frame })) this.#socket.write(part);
    return this;
  }

  run(...argv: string[]): this {
    return this.send({ type: FrameType.OPEN, payload: Buffer.from(JSON.stringify({ argv })) });
  }

  sendBytes(bytes: Uint8Array): this {
    this.#socket.write(bytes);
    return this;
  }

  /** All frames until the daemon ends the connection. */
  async whole(): Promise<Frame[]> {
    this.read();
    if (!this.#socket.readableEnded) await once(this.#socket, 'end');
    this.#socket.destroy();
    return this.frames;
  }

  leave(): void {
    this.#socket.destroy();
  }
}

describe('the exec relay and clients without manners', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open();
    await api.runningVm('demo');
  });
  after(() => api[Symbol.asyncDispose]());

  const client = () => RawExecClient.open(api.socketPath);
  const guestState = () => {
    const [guest] = api.services.vms.guests.values();
    assert.ok(guest);
    return guest.state;
  };
  const isUnharmed = async () =>
    assert.equal((await api.client.vms.ping('demo')).bootId, guestState().hello.bootId);
  const refusalOf = (frames: Frame[]) => {
    const last = frames.at(-1);
    assert.equal(last?.type, FrameType.ERROR);
    return (JSON.parse(Buffer.from(last.payload).toString()) as { error: { code: string; message: string } })
      .error;
  };

  it('refuses what comes before OPEN, and a second one', async () => {
    const early = (await client()).send({ type: FrameType.EOF });
    assert.match(refusalOf(await early.whole()).message, /EOF before OPEN/);
    const twice = (await client()).run('sleep', '60').run('true');
    assert.match(refusalOf(await twice.whole()).message, /OPEN/);
    await isUnharmed();
  });

  it('refuses a request that is none', async () => {
    const open = async (text: string) =>
      refusalOf(await (await client()).send({ type: FrameType.OPEN, payload: Buffer.from(text) }).whole());
    assert.match((await open('{')).message, /not JSON/);
    assert.match((await open('{"argv":"ls"}')).message, /"argv": expected array/);
    assert.match((await open('{"argv":["ls"],"shell":true}')).message, /"shell"/);
    assert.equal((await open('{"argv":["a\\u0000b"]}')).code, 'INVALID_ARGUMENT');
    await isUnharmed();
  });

  it('refuses other channels, frames that only a guest sends, and garbage', async () => {
    const sent = [
      (await client()).send({ type: FrameType.OPEN, channel: 7 }),
      (await client()).run('cat').send({ type: FrameType.RESULT }),
      (await client()).run('cat').send({ type: FrameType.SIGNAL, payload: Buffer.from('xx') }),
      (await client()).run('cat').send({ type: FrameType.RESIZE }),
      (await client()).run('cat').send({ type: FrameType.CREDIT, stream: 1 }),
      (await client()).run('cat').sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    ];
    for (const one of sent) assert.equal(refusalOf(await one.whole()).code, 'INVALID_ARGUMENT');
    await isUnharmed();
  });

  it('refuses data beyond the credit', async () => {
    const flood = (await client()).run('sleep', '60');
    for (let sent = 0; sent <= INITIAL_CREDIT_BYTES; sent += 32_752) {
      flood.send({ type: FrameType.DATA, payload: new Uint8Array(32_752) });
    }
    assert.match(refusalOf(await flood.whole()).message, /credit/);
    await isUnharmed();
  });

  it('holds back credit that was given without reading', async () => {
    let written = 0;
    guestState().programs.set('flood', async ({ writeOut }) => {
      for (; written < 64 * 2 ** 20; written += 32_752) await writeOut(new Uint8Array(32_752));
      return { exitCode: 0 };
    });
    const greedy = (await client())
      .run('flood')
      .send({ type: FrameType.CREDIT, stream: 1, payload: encodeCredit(0x7fff_ffff) });
    await sleep(300);
    const after300Ms = written;
    await sleep(300);
    assert.equal(written, after300Ms, 'the guest goes on though nobody reads');
    assert.ok(written < 4 * 2 ** 20, `${written} bytes wait in the daemon`);
    greedy.leave();
    await isUnharmed();
  });

  it('accepts frames cut anywhere', async () => {
    const whole = Buffer.concat(
      [
        { type: FrameType.OPEN, channel: EXEC_CHANNEL, payload: Buffer.from('{"argv":["cat"]}') },
        { type: FrameType.DATA, channel: EXEC_CHANNEL, payload: Buffer.from('hello') },
        { type: FrameType.EOF, channel: EXEC_CHANNEL },
      ].flatMap((frame) => encodeFrame(frame)),
    );
    const slow = await client();
    for (const byte of whole) {
      slow.sendBytes(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    const frames = await slow.whole();
    const output = frames
      .filter(({ type }) => type === FrameType.DATA)
      .map(({ payload }) => Buffer.from(payload).toString());
    assert.deepEqual(output, ['hello']);
    assert.deepEqual(JSON.parse(Buffer.from(frames.at(-1)?.payload ?? []).toString()), { exitCode: 0 });
  });

  it('survives clients that vanish at any point', async () => {
    for (const turns of [0, 1, 2, 3, 5]) {
      const vanishing = (await client())
        .run('cat')
        .send({ type: FrameType.DATA, payload: new Uint8Array(1000) });
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      vanishing.leave();
    }
    await isUnharmed();
  });
});
