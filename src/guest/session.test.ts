import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isUserError } from '#contract/errors.ts';
import type { ErrorCode } from '#contract/errors.ts';
import { encodeFrame, FrameType, MAGIC } from '#contract/guest/frames.ts';
import { MAX_DISCARDED_BYTES, RESYNC_ZEROS } from '#contract/guest/hello.ts';
import { AgentClient } from './agent-client.ts';
import { FakeAgent } from './fake/fake-agent.ts';
import { newFakeGuestState } from './fake/fake-guest-state.ts';
import { ScriptedGuest } from './fake/scripted-guest.ts';

function isCode(code: ErrorCode) {
  return (error: unknown) => isUserError(error, code);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

describe('AgentClient.connect', () => {
  it('discards whatever the guest had queued for an older host', async () => {
    const guest = new ScriptedGuest();
    const greet = guest.onHello;
    guest.onHello = (nonce) => {
      for (const part of encodeFrame({
        type: FrameType.DATA,
        channel: 3,
        stream: 1,
        payload: randomBytes(50_000),
      })) {
        guest.sendBytes(part);
      }
      guest.sendBytes(randomBytes(1_000_000));
      // Not more of it: with 15 bytes, each nonce of 256 that ends as it begins would be found there already.
      guest.sendBytes(nonce.subarray(0, 8));
      greet(nonce);
    };
    const client = await AgentClient.connect(guest.hostEnd);
    assert.equal(client.hello.bootId, guest.hello.bootId);
    await client.close();
  });

  it('finds the nonce however the bytes are cut into chunks', async () => {
    for (const size of [1, 7, 16, 31]) {
      const guest = new ScriptedGuest();
      const whole = guest.sendBytes.bind(guest);
      guest.sendBytes = (bytes) => {
        for (let at = 0; at < bytes.length; at += size) whole(bytes.subarray(at, at + size));
      };
      const client = await AgentClient.connect(guest.hostEnd);
      assert.equal(client.hello.generation, 1);
      await client.close();
    }
  });

  it('sets the clock of the guest once the agent listens', async () => {
    const state = newFakeGuestState();
    const guest = new ScriptedGuest();
    new FakeAgent(guest.stream, state);
    guest.onHello = () => {};
    const client = await AgentClient.connect(guest.hostEnd, { clock: { now: () => 1_800_000_000_123 } });
    await client.ping();
    assert.equal(state.wallClockNs, 1_800_000_000_123_000_000n);
    await client.close();
  });

  it('says HELLO at once to a guest that nobody has spoken to, and resynchronises when it repeats that', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const [hostEnd, guestEnd] = duplexPair();
    const connecting = AgentClient.connect(hostEnd, { isFirstHost: true });
    const rejected = assert.rejects(connecting, isCode('GUEST_LINK_LOST'));
    const sent: Buffer[] = [];
    guestEnd.on('data', (chunk: Buffer) => sent.push(chunk));
    await until(() => sent.length > 0);
    assert.equal(Buffer.concat(sent).readUInt16LE(0), MAGIC);
    const first = Buffer.concat(sent.splice(0)).length;
    t.mock.timers.tick(3000);
    await until(() => Buffer.concat(sent).length === RESYNC_ZEROS + first);
    assert.deepEqual(Buffer.concat(sent).subarray(0, RESYNC_ZEROS), Buffer.alloc(RESYNC_ZEROS));
    assert.equal(Buffer.concat(sent).readUInt16LE(RESYNC_ZEROS), MAGIC);
    guestEnd.destroy();
    await rejected;
  });

  it('gives up after 64 MiB of something else', async () => {
    const guest = new ScriptedGuest();
    const block = new Uint8Array(2 ** 20).fill(1);
    guest.onHello = () => {
      for (let sent = 0; sent <= MAX_DISCARDED_BYTES; sent += block.length) guest.sendBytes(block);
    };
    await assert.rejects(AgentClient.connect(guest.hostEnd), isCode('GUEST_PROTOCOL'));
    assert.equal(guest.hostEnd.destroyed, true);
  });

  it('refuses an agent that starts with something else than its hello', async () => {
    const guest = new ScriptedGuest();
    guest.onHello = (nonce) => {
      guest.sendBytes(nonce);
      guest.send({ type: FrameType.PONG, channel: 0 });
    };
    await assert.rejects(AgentClient.connect(guest.hostEnd), isCode('GUEST_PROTOCOL'));
  });

  it('says when there is no common generation', async () => {
    const guest = new ScriptedGuest();
    guest.hello = { ...guest.hello, generation: 0, lowestGeneration: 7, highestGeneration: 9 };
    await assert.rejects(AgentClient.connect(guest.hostEnd), isCode('GUEST_PROTOCOL_UNSUPPORTED'));
  });

  it('waits no longer than its deadline', async () => {
    const guest = new ScriptedGuest();
    guest.onHello = () => {};
    const connecting = AgentClient.connect(guest.hostEnd, { signal: AbortSignal.timeout(30) });
    await assert.rejects(connecting, isCode('GUEST_NOT_ANSWERING'));
    assert.equal(guest.hostEnd.destroyed, true);
  });

  it('rejects with the reason of an abort that is not a deadline', async () => {
    const reason = new Error('the user pressed Ctrl-C');
    const guest = new ScriptedGuest();
    await assert.rejects(AgentClient.connect(guest.hostEnd, { signal: AbortSignal.abort(reason) }), reason);
  });

  it('says that the link is lost when the stream ends first', async () => {
    const guest = new ScriptedGuest();
    guest.onHello = () => guest.stream.end();
    await assert.rejects(AgentClient.connect(guest.hostEnd), isCode('GUEST_LINK_LOST'));
  });

  it('greets again, ever more rarely, when the guest took the greeting and died', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const guest = new ScriptedGuest();
    const answer = guest.onHello;
    let greetings = 0;
    guest.onHello = () => (greetings += 1);
    const connecting = AgentClient.connect(guest.hostEnd);
    await until(() => greetings === 1);
    for (const [elapsedMs, expected] of [
      [2999, 1],
      [1, 2],
      [5999, 2],
    ] as const) {
      t.mock.timers.tick(elapsedMs);
      await setImmediate();
      assert.equal(greetings, expected);
    }
    guest.onHello = answer;
    t.mock.timers.tick(1);
    const client = await connecting;
    assert.equal(client.hello.generation, 1);
    await client.close();
  });

  it('takes only the answer to its last greeting', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const guest = new ScriptedGuest();
    const answer = guest.onHello;
    const nonces: Uint8Array[] = [];
    guest.onHello = (nonce) => nonces.push(nonce);
    const connecting = AgentClient.connect(guest.hostEnd);
    await until(() => nonces.length === 1);
    t.mock.timers.tick(3000);
    await until(() => nonces.length === 2);
    guest.onHello = answer;
    guest.hello = { ...guest.hello, agentVersion: 'stale' };
    answer(nonces[0]!);
    guest.hello = { ...guest.hello, agentVersion: 'fresh' };
    answer(nonces[1]!);
    const client = await connecting;
    assert.equal(client.hello.agentVersion, 'fresh');
    await client.close();
  });
});

describe('The second greeting', () => {
  /** Answers the first one properly, and the second one as the test says. */
  function guestWithSecondAnswer(answer: (nonce: Uint8Array, greet: () => void) => void): ScriptedGuest {
    const guest = new ScriptedGuest();
    const greet = guest.onHello;
    guest.onHello = (first) => {
      greet(first);
      guest.onHello = (second) => answer(second, () => greet(second));
    };
    return guest;
  }

  it('is not waited for by the first question', async () => {
    const asked = Promise.withResolvers<void>();
    const guest = guestWithSecondAnswer((_nonce, greet) => void asked.promise.then(greet));
    guest.onFrame = (frame) => {
      asked.resolve();
      void asked.promise.then(() => guest.send({ ...frame, type: FrameType.PONG }));
    };
    const client = await AgentClient.connect(guest.hostEnd);
    assert.ok((await client.ping()) >= 0);
    await client.close();
  });

  it('ends the session when another boot answers it', async () => {
    const guest = guestWithSecondAnswer((_nonce, greet) => {
      guest.hello = { ...guest.hello, bootId: '5e1fc6a2-0f3f-4bfb-8b7d-3a6a5d2f9d11' };
      greet();
    });
    const client = await AgentClient.connect(guest.hostEnd);
    assert.equal((await client.closed)?.code, 'GUEST_PROTOCOL');
    assert.equal(guest.hostEnd.destroyed, true);
  });

  it('ends the session when something else follows its nonce', async () => {
    const guest = guestWithSecondAnswer((nonce) => {
      guest.sendBytes(nonce);
      guest.send({ type: FrameType.PONG, channel: 0 });
    });
    const client = await AgentClient.connect(guest.hostEnd);
    assert.equal((await client.closed)?.code, 'GUEST_PROTOCOL');
  });

  it('ends the session after 64 MiB of something else', async () => {
    const block = new Uint8Array(2 ** 20).fill(1);
    const guest = guestWithSecondAnswer(() => {
      for (let sent = 0; sent <= MAX_DISCARDED_BYTES; sent += block.length) guest.sendBytes(block);
    });
    const client = await AgentClient.connect(guest.hostEnd);
    assert.equal((await client.closed)?.code, 'GUEST_PROTOCOL');
  });
});

describe('An open session', () => {
  it('ends when the link does, and fails what waits', async () => {
    const guest = new ScriptedGuest();
    const client = await AgentClient.connect(guest.hostEnd);
    const pending = [client.ping(), client.sync(), client.exec({ argv: ['x'] })];
    guest.stream.end();
    for (const outcome of await Promise.allSettled(pending)) {
      assert.ok(outcome.status === 'rejected' && isUserError(outcome.reason, 'GUEST_LINK_LOST'));
    }
    assert.ok(isUserError(await client.closed, 'GUEST_LINK_LOST'));
  });

  it('is told when the guest does not answer in time, and goes on', async () => {
    const guest = new ScriptedGuest();
    const client = await AgentClient.connect(guest.hostEnd);
    await assert.rejects(client.ping({ signal: AbortSignal.timeout(5) }), isCode('GUEST_NOT_ANSWERING'));
    await assert.rejects(client.stats({ signal: AbortSignal.timeout(5) }), isCode('GUEST_NOT_ANSWERING'));
    await until(() => guest.receivedOf(FrameType.CLOSE).length === 1);
    guest.send({ type: FrameType.PONG, channel: 0, payload: guest.receivedOf(FrameType.PING)[0]!.payload });
    const late = client.ping();
    await until(() => guest.receivedOf(FrameType.PING).length === 2);
    guest.send({ type: FrameType.PONG, channel: 0, payload: guest.receivedOf(FrameType.PING)[1]!.payload });
    assert.ok((await late) > 0);
    await client.close();
  });

  it('asks a guest that owes many answers no further questions', async () => {
    const guest = new ScriptedGuest();
    const client = await AgentClient.connect(guest.hostEnd);
    const pings = Array.from({ length: 64 }, () => client.ping());
    await assert.rejects(client.ping(), isCode('GUEST_NOT_ANSWERING'));
    await client.close();
    await Promise.allSettled(pings);
  });

  it('never uses a channel number twice', async () => {
    const guest = new ScriptedGuest((frame) => {
      if (frame.type === FrameType.OPEN) guest.send({ type: FrameType.RESULT, channel: frame.channel });
    });
    const client = await AgentClient.connect(guest.hostEnd);
    await client.sync();
    await client.sync();
    assert.deepEqual(
      guest.receivedOf(FrameType.OPEN).map(({ channel }) => channel),
      [1, 2],
    );
    await client.close();
  });

  it('powers off and then loses the link', async () => {
    const state = newFakeGuestState();
    const guest = new ScriptedGuest();
    guest.onHello = () => {};
    new FakeAgent(guest.stream, state);
    let graceMs = 0;
    state.onPowerOff = (request) => {
      ({ graceMs } = request);
      void setImmediate().then(() => guest.stream.destroy());
    };
    const client = await AgentClient.connect(guest.hostEnd);
    await client.powerOff({ graceMs: 123 });
    assert.deepEqual([state.poweredOff, graceMs], [true, 123]);
    assert.ok(isUserError(await client.closed, 'GUEST_LINK_LOST'));
  });
});
