import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { isUserError } from '#contract/errors.ts';
import { encodeExecResult, encodeExecStarted } from '#contract/guest/exec-messages.ts';
import { encodeCredit, INITIAL_CREDIT_BYTES, MAX_DATA_BYTES } from '#contract/guest/flow-control.ts';
import { CONTROL_CHANNEL, encodeFrame, FrameType } from '#contract/guest/frames.ts';
import type { Frame, OutgoingFrame } from '#contract/guest/frames.ts';
import { encodeLost } from '#contract/guest/lost.ts';
import { exposeCollector } from '#host/expose-collector.ts';
import { AgentClient } from './agent-client.ts';
import { ScriptedGuest } from './fake/scripted-guest.ts';

const STARTED = encodeExecStarted({ pid: 5 });
const BLOCK = new Uint8Array(MAX_DATA_BYTES);

/** What a guest sends right after the host opened channel 1 and it said OPENED. */
const OFFENCES: Record<string, (guest: ScriptedGuest) => void> = {
  'more data than it has credit for': (guest) => {
    for (let sent = 0; sent <= INITIAL_CREDIT_BYTES; sent += BLOCK.length) {
      guest.send({ type: FrameType.DATA, channel: 1, stream: 1, payload: BLOCK });
    }
  },
  'a frame longer than any': (guest) =>
    guest.sendBytes(Uint8Array.of(0xba, 0x6e, 18, 1, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)),
  'more credit than there is': (guest) => {
    for (let index = 0; index < 2; index += 1) {
      guest.send({ type: FrameType.CREDIT, channel: 1, stream: 0, payload: encodeCredit(0x7fff_ffff) });
    }
  },
  'credit that is not a number': (guest) =>
    send(guest, { type: FrameType.CREDIT, payload: new Uint8Array(3) }),
  'credit for a stream it sends itself': (guest) =>
    send(guest, { type: FrameType.CREDIT, stream: 1, payload: encodeCredit(1) }),
  'OPENED twice': (guest) => send(guest, { type: FrameType.OPENED, payload: STARTED }),
  'data without bytes': (guest) => send(guest, { type: FrameType.DATA, stream: 1 }),
  'data of the stream that only the host sends': (guest) =>
    send(guest, { type: FrameType.DATA, stream: 0, payload: BLOCK }),
  'data of a stream that does not exist': (guest) =>
    send(guest, { type: FrameType.DATA, stream: 9, payload: BLOCK }),
  'data after the end of its stream': (guest) => {
    send(guest, { type: FrameType.EOF, stream: 1 });
    send(guest, { type: FrameType.DATA, stream: 1, payload: BLOCK });
  },
  'the end of a stream twice': (guest) => {
    send(guest, { type: FrameType.EOF, stream: 1 });
    send(guest, { type: FrameType.EOF, stream: 1 });
  },
  'a loss that is no number': (guest) => send(guest, { type: FrameType.LOST, payload: new Uint8Array(3) }),
  'losses without data between them': (guest) => {
    send(guest, { type: FrameType.LOST, payload: encodeLost(1) });
    send(guest, { type: FrameType.LOST, payload: encodeLost(1) });
  },
  'a result that says nothing': (guest) => send(guest, { type: FrameType.RESULT }),
  'an error that says nothing': (guest) => send(guest, { type: FrameType.ERROR }),
  'a frame that only a host sends': (guest) => send(guest, { type: FrameType.CLOSE }),
  'a result for a channel that was never open': (guest) =>
    guest.send({ type: FrameType.RESULT, channel: 2, payload: encodeExecResult({ exitCode: 0 }) }),
  'a second HELLO_OK': (guest) => guest.send({ type: FrameType.HELLO_OK, channel: CONTROL_CHANNEL }),
  'an answer to no ping': (guest) => guest.send({ type: FrameType.PONG, channel: CONTROL_CHANNEL }),
  garbage: (guest) => guest.sendBytes(Buffer.from('Kernel panic - not syncing')),
  'a frame without its trailer': (guest) =>
    guest.sendBytes(Buffer.concat([frameHead(), Buffer.from('ABCDEFGH')])),
};

describe('A session with a hostile guest', () => {
  for (const [offence, commit] of Object.entries(OFFENCES)) {
    it(`ends with GUEST_PROTOCOL after ${offence}`, { timeout: 5000 }, async () => {
      const guest = new ScriptedGuest((frame) => {
        if (frame.type === FrameType.OPEN)
          guest.send({ type: FrameType.OPENED, channel: 1, payload: STARTED });
      });
      const client = await AgentClient.connect(guest.hostEnd);
      const command = await client.exec({ argv: ['x'] });
      commit(guest);
      const end = await client.closed;
      assert.ok(isUserError(end, 'GUEST_PROTOCOL'), String(end));
      await assert.rejects(command.exited, (error) => isUserError(error, 'GUEST_PROTOCOL'));
      await assert.rejects(client.ping(), (error) => isUserError(error, 'GUEST_PROTOCOL'));
      assert.equal(guest.hostEnd.destroyed, true);
    });
  }

  it('ignores frames of a channel that has ended', async () => {
    const guest = new ScriptedGuest((frame) => answerPing(frame, guest));
    const client = await AgentClient.connect(guest.hostEnd);
    const opening = client.exec({ argv: ['x'] });
    send(guest, { type: FrameType.OPENED, payload: STARTED });
    send(guest, { type: FrameType.RESULT, payload: encodeExecResult({ exitCode: 0 }) });
    for (let index = 0; index < 100; index += 1)
      send(guest, { type: FrameType.DATA, stream: 1, payload: BLOCK });
    send(guest, { type: FrameType.RESULT, payload: encodeExecResult({ exitCode: 1 }) });
    assert.deepEqual(await (await opening).exited, { exitCode: 0 });
    assert.ok((await client.ping()) > 0);
    await client.close();
  });

  it('takes memory in proportion to one window when data comes byte by byte', async () => {
    const guest = new ScriptedGuest();
    const client = await AgentClient.connect(guest.hostEnd);
    const opening = client.exec({ argv: ['x'] });
    send(guest, { type: FrameType.OPENED, payload: STARTED });
    const command = await opening;
    const before = memoryBytes();
    const [frame = BLOCK] = encodeFrame({
      type: FrameType.DATA,
      channel: 1,
      stream: 1,
      payload: Uint8Array.of(7),
    });
    for (let sent = 0; sent < 3000; sent += 1) {
      guest.sendBytes(Buffer.concat([frame, new Uint8Array(32_768)])); // padding that must not be kept for the byte
      if (sent % 20 === 0) await setImmediate();
    }
    guest.onFrame = ({ type, payload }) => {
      if (type === FrameType.PING) guest.send({ type: FrameType.PONG, channel: CONTROL_CHANNEL, payload });
    };
    await client.ping(); // its answer comes behind all that was sent
    // Buffers that nobody holds are given back some time after a collection; held ones, 98 MB, never would be.
    await pollUntil(() => (memoryBytes() - before < 30 * 2 ** 20 ? true : undefined), {
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(command.stdout.destroyed, false);
    await client.close();
  });
});

function send(guest: ScriptedGuest, frame: Omit<OutgoingFrame, 'channel'>): void {
  guest.send({ ...frame, channel: 1 });
}

function answerPing(frame: Frame, guest: ScriptedGuest): void {
  if (frame.type !== FrameType.PING) return;
  guest.send({ type: FrameType.PONG, channel: CONTROL_CHANNEL, payload: frame.payload });
}

/** A DATA frame of four bytes up to its trailer. */
function frameHead(): Uint8Array {
  return Uint8Array.of(0xba, 0x6e, 18, 1, 1, 0, 0, 0, 4, 0, 0, 0);
}

function memoryBytes(): number {
  exposeCollector();
  globalThis.gc?.();
  return process.memoryUsage().arrayBuffers;
}
