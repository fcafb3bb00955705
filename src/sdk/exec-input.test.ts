import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { INITIAL_CREDIT_BYTES, MAX_DATA_BYTES } from '#contract/guest/flow-control.ts';
import { ExecInput } from './exec-input.ts';

function setUp() {
  const sent: Uint8Array[] = [];
  const state = { ended: false };
  const input = new ExecInput({
    data: (payload) => void sent.push(payload),
    eof: () => {
      state.ended = true;
    },
  });
  const sentBytes = () => sent.reduce((sum, { length }) => sum + length, 0);
  return { input, sent, sentBytes, state };
}

it('sends no more than it has credit for, in frames of bounded size', async () => {
  const { input, sent, sentBytes, state } = setUp();
  const bytes = Buffer.alloc(INITIAL_CREDIT_BYTES + 100_000, 7);
  input.writable.end(bytes);
  assert.equal(sentBytes(), INITIAL_CREDIT_BYTES);
  assert.ok(sent.every(({ length }) => length > 0 && length <= MAX_DATA_BYTES));
  assert.equal(state.ended, false);
  input.grant(60_000);
  input.grant(60_000);
  await once(input.writable, 'finish');
  assert.deepEqual(Buffer.concat(sent), bytes);
  assert.equal(state.ended, true);
});

it('is destroyed without an error when the command has ended', async () => {
  const { input } = setUp();
  input.writable.write(Buffer.alloc(INITIAL_CREDIT_BYTES * 2));
  input.close();
  await once(input.writable, 'close');
  assert.equal(input.writable.errored, null);
});

it('says nothing of an end that the guest was told of before', async () => {
  const { input, sentBytes, state } = setUp();
  input.endSilently();
  await once(input.writable, 'finish');
  assert.deepEqual([sentBytes(), state.ended], [0, false]);
});
