import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { it } from 'node:test';
import { INITIAL_CREDIT_BYTES } from '#contract/guest/flow-control.ts';
import { ExecOutput } from './exec-output.ts';

function setUp() {
  const account = { credit: INITIAL_CREDIT_BYTES };
  const output = new ExecOutput((bytes) => {
    account.credit += bytes;
  });
  /** Sends as much of `bytes` as the credit allows. */
  const send = (bytes: number) => {
    const size = Math.min(bytes, account.credit);
    account.credit -= size;
    if (size > 0) output.receive(new Uint8Array(size));
    return size;
  };
  return { output, account, send };
}

it('grants only what was read', async () => {
  const { output, account, send } = setUp();
  while (send(30_000) > 0) await new Promise(setImmediate);
  assert.equal(account.credit, 0);
  output.readable.read(200_000);
  await new Promise(setImmediate);
  assert.ok(account.credit > 0 && account.credit <= 200_000);
});

it('never stalls a reader that asks for exact sizes', async () => {
  for (const portion of [200_000, 70_000, 1000]) {
    const { output, send } = setUp();
    const total = 1_000_000;
    for (let [sent, read] = [0, 0]; read < total;) {
      sent += send(Math.min(50_000, total - sent));
      const chunk = output.readable.read(Math.min(portion, total - read)) as Buffer | null;
      read += chunk?.length ?? 0;
      await new Promise(setImmediate);
    }
  }
});

it('never stalls, however the reader and the pieces behave', async () => {
  for (const piece of [1000, 16_384, 32_752, 65_536]) {
    const { output, send } = setUp();
    const total = 3_000_000;
    const reading = buffer(output.readable);
    for (let sent = 0; sent < total;) {
      const size = send(Math.min(piece, total - sent));
      sent += size;
      if (size === 0) await new Promise(setImmediate);
    }
    output.end();
    assert.equal((await reading).length, total);
  }
});

it('throws away what comes after its reader has left, and grants it', async () => {
  const { output, account, send } = setUp();
  send(100_000);
  output.readable.destroy();
  await new Promise(setImmediate);
  for (let count = 0; count < 100; count += 1) assert.ok(send(65_536) > 0);
  assert.ok(account.credit > 0);
});

it('does not end in peace when the command is lost', async () => {
  const { output, send } = setUp();
  send(10);
  const reading = buffer(output.readable);
  output.fail(new Error('lost'));
  await assert.rejects(reading, /lost/);
});
