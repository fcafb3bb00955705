import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { encodeExecOpen, encodeExecStarted } from '#contract/guest/exec-messages.ts';
import {
  decodeCredit,
  encodeCredit,
  INITIAL_CREDIT_BYTES,
  MAX_DATA_BYTES,
} from '#contract/guest/flow-control.ts';
import { FrameType } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import { AgentClient } from './agent-client.ts';
import type { RawChannel } from './channel.ts';
import { ScriptedGuest } from './fake/scripted-guest.ts';

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await setImmediate();
  }
}

function sumOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { payload }) => sum + payload.length, 0);
}

function grantedOf(guest: ScriptedGuest): number {
  return guest.receivedOf(FrameType.CREDIT).reduce((sum, { payload }) => sum + decodeCredit(payload), 0);
}

async function startCommand() {
  const guest = new ScriptedGuest((frame) => {
    if (frame.type !== FrameType.OPEN) return;
    guest.send({ type: FrameType.OPENED, channel: 1, payload: encodeExecStarted({ pid: 1 }) });
  });
  const client = await AgentClient.connect(guest.hostEnd);
  return { guest, client, command: await client.exec({ argv: ['x'] }) };
}

function sendWindow(guest: ScriptedGuest): void {
  const payload = new Uint8Array(16_384).fill(1);
  for (let sent = 0; sent < INITIAL_CREDIT_BYTES; sent += payload.length) {
    guest.send({ type: FrameType.DATA, channel: 1, stream: 1, payload });
  }
}

describe('Input of a command', () => {
  it('stops at the credit and goes on with more', async () => {
    const { guest, client, command } = await startCommand();
    command.stdin.write(new Uint8Array(INITIAL_CREDIT_BYTES + 1000));
    await settle();
    const data = () => guest.receivedOf(FrameType.DATA);
    assert.equal(sumOf(data()), INITIAL_CREDIT_BYTES);
    assert.ok(data().every(({ payload }) => payload.length <= MAX_DATA_BYTES));

    guest.send({ type: FrameType.CREDIT, channel: 1, stream: 0, payload: encodeCredit(400) });
    await settle();
    assert.equal(sumOf(data()), INITIAL_CREDIT_BYTES + 400);

    guest.send({ type: FrameType.CREDIT, channel: 1, stream: 0, payload: encodeCredit(100_000) });
    command.stdin.end('last');
    await settle();
    assert.equal(sumOf(data()), INITIAL_CREDIT_BYTES + 1004);
    assert.equal(guest.receivedOf(FrameType.EOF).length, 1);
    await client.close();
  });

  it('ends when its stream is destroyed', async () => {
    const { guest, client, command } = await startCommand();
    command.stdin.destroy();
    await settle();
    assert.equal(guest.receivedOf(FrameType.EOF).length, 1);
    assert.equal(guest.receivedOf(FrameType.CLOSE).length, 0);
    await client.close();
  });
});

describe('Output of a command', () => {
  it('grants no credit for what nobody reads', async () => {
    const { guest, client, command } = await startCommand();
    sendWindow(guest);
    await settle();
    assert.ok(grantedOf(guest) <= INITIAL_CREDIT_BYTES / 4, `${grantedOf(guest)}`);

    command.stdout.resume();
    await settle();
    assert.ok(grantedOf(guest) >= INITIAL_CREDIT_BYTES * 0.75, `${grantedOf(guest)}`);
    await client.close();
  });

  it('is discarded, with credit, when its reader is gone', async () => {
    const { guest, client, command } = await startCommand();
    sendWindow(guest);
    await settle();
    command.stdout.destroy();
    await settle();
    sendWindow(guest);
    await settle();
    assert.ok(grantedOf(guest) >= INITIAL_CREDIT_BYTES * 1.75);
    await client.close();
  });
});

describe('RawChannel', () => {
  async function openRaw(onFrame: (frame: Frame) => void = () => {}) {
    const guest = new ScriptedGuest();
    const client = await AgentClient.connect(guest.hostEnd);
    const ends: unknown[] = [];
    const open = encodeExecOpen({ argv: ['x'] });
    const channel = client.openChannel(open, { onFrame, onEnd: (error) => ends.push(error) });
    return { guest, client, channel, ends };
  }

  const sendData = (channel: RawChannel, length: number) =>
    channel.send({ type: FrameType.DATA, stream: 0, payload: new Uint8Array(length) });

  it('passes frames and credit in both directions as they are', async () => {
    const frames: Frame[] = [];
    const { guest, client, channel, ends } = await openRaw((frame) => frames.push(frame));
    sendWindow(guest);
    guest.send({ type: FrameType.CREDIT, channel: 1, stream: 0, payload: encodeCredit(77) });
    sendData(channel, 1000);
    channel.send({ type: FrameType.CREDIT, stream: 1, payload: encodeCredit(5) });
    await settle();
    assert.equal(sumOf(frames.filter(({ type }) => type === FrameType.DATA)), INITIAL_CREDIT_BYTES);
    assert.equal(channel.sendCredit, INITIAL_CREDIT_BYTES + 77 - 1000);
    assert.equal(grantedOf(guest), 5);

    guest.send({ type: FrameType.DATA, channel: 1, stream: 1, payload: new Uint8Array(5) });
    guest.send({ type: FrameType.ERROR, channel: 1, payload: new Uint8Array(0) });
    await settle();
    assert.equal(frames.at(-1)?.type, FrameType.ERROR);
    assert.deepEqual(ends, [undefined]);
    assert.equal(channel.ended, true);
    assert.equal(await client.ping({ signal: AbortSignal.timeout(1) }).catch(() => 'open'), 'open');
    await client.close();
  });

  it('refuses data and credit beyond the account', async () => {
    const { client, channel } = await openRaw();
    for (let sent = 0; sent < INITIAL_CREDIT_BYTES; sent += 32_768) sendData(channel, 32_768);
    const isRefused = (error: unknown) => isUserError(error, 'INVALID_ARGUMENT');
    assert.throws(() => sendData(channel, 1), isRefused);
    const tooMuch = { type: FrameType.CREDIT, stream: 1, payload: encodeCredit(0x7fff_ffff) };
    assert.throws(() => channel.send(tooMuch), isRefused);
    assert.throws(
      () => channel.send({ type: FrameType.DATA, stream: 1, payload: new Uint8Array(1) }),
      isRefused,
    );
    await client.close();
  });

  it('drops what is sent after its end, and credit for a stream that has ended', async () => {
    const { guest, client, channel, ends } = await openRaw();
    guest.send({ type: FrameType.EOF, channel: 1, stream: 1 });
    await settle();
    channel.send({ type: FrameType.CREDIT, stream: 1, payload: encodeCredit(5) });
    channel.close();
    channel.close();
    sendData(channel, 10);
    await settle();
    assert.deepEqual(
      guest.received.map(({ type }) => type),
      [FrameType.OPEN, FrameType.CLOSE],
    );
    assert.deepEqual(ends, [undefined]);
    await client.close();
  });

  it('says when a slow link takes more', async () => {
    const { guest, client, channel } = await openRaw();
    guest.stream.pause();
    let writable = true;
    for (let sent = 0; sent < 8 && writable; sent += 1) writable = sendData(channel, 32_768);
    assert.equal(writable, false);
    const waiting = channel.whenWritable();
    guest.stream.resume();
    await waiting;
    assert.equal(channel.isWritable, true);
    await client.close();
  });

  it('is told once when the session ends', async () => {
    const { guest, client, ends } = await openRaw();
    guest.stream.end();
    await client.closed;
    assert.equal(ends.length, 1);
    assert.ok(isUserError(ends[0], 'GUEST_LINK_LOST'));
  });
});
