import assert from 'node:assert/strict';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import { ApiFixture } from './api-fixture.ts';

const deadline = () => ({ signal: AbortSignal.timeout(10_000) });

describe('detached commands over the API', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open();
    await api.runningVm('demo');
  });
  after(() => api[Symbol.asyncDispose]());

  async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
    await assert.rejects(promise, (error) => isUserError(error, code));
  }

  it('starts one, shows it to two viewers, and tells how it ended', async () => {
    const { commands } = api.client;
    const { id, pid } = await commands.start('demo', { argv: ['cat'], stdin: true });
    const typing = await commands.attach('demo', id, { stdin: true });
    const watching = await commands.attach('demo', id);
    assert.partialDeepStrictEqual(typing, { pid, fromByte: 0, tty: false, takesInput: true });
    const data = randomBytes(200_000);
    typing.process.stdin.end(data);
    const seen = await Promise.all([typing, watching].map(({ process }) => buffer(process.stdout)));
    for (const bytes of seen) assert.deepEqual(bytes, data);
    assert.deepEqual(await watching.process.wait(deadline()), { exitCode: 0 });
    const listed = (await commands.list('demo')).find((command) => command.id === id);
    assert.partialDeepStrictEqual(listed, { pid, argv: ['cat'], status: 'exited', exitCode: 0 });
  });

  it('leaves the command alone when a viewer goes away without a word', async () => {
    const { commands } = api.client;
    const { id } = await commands.start('demo', { argv: ['sleep', '60'] });
    const { process } = await commands.attach('demo', id);
    process.close();
    await rejectsWith('OPERATION_CANCELLED', process.wait(deadline()));
    const viewers = async () =>
      (await commands.list('demo')).find((command) => command.id === id)?.viewers === 0 ? true : undefined;
    await pollUntil(viewers, deadline());
    await rejectsWith('DETACHED_COMMAND_RUNNING', commands.remove('demo', id));
    const watching = await commands.attach('demo', id, { tailLines: 0 });
    await commands.signal('demo', { id, signal: 15 });
    assert.deepEqual(await watching.process.wait(deadline()), { signal: 15 });
    await rejectsWith('DETACHED_COMMAND_ENDED', commands.signal('demo', { id, signal: 15 }));
    await commands.remove('demo', id);
    await rejectsWith('DETACHED_COMMAND_NOT_FOUND', commands.attach('demo', id));
  });

  it('tells a slow viewer what it lost', async () => {
    const { commands } = api.client;
    const { id } = await commands.start('demo', { argv: ['cat'], stdin: true });
    let lost = 0;
    const slow = await commands.attach('demo', id, { onLost: (bytes) => (lost += bytes) });
    const quick = await commands.attach('demo', id, { stdin: true });
    quick.process.stdout.resume();
    const block = randomBytes(2 ** 20);
    for (let written = 0; written < 8; written += 1) {
      // oxlint-disable-next-line no-await-in-loop -- as the command takes it
      if (!quick.process.stdin.write(block)) await once(quick.process.stdin, 'drain');
    }
    quick.process.stdin.end();
    assert.deepEqual(await quick.process.wait(deadline()), { exitCode: 0 });
    const { length } = await buffer(slow.process.stdout);
    assert.ok(lost > 0);
    assert.equal(length + lost, 8 * block.length);
  });

  it('begins where it is asked to', async () => {
    const { commands } = api.client;
    const { id } = await commands.start('demo', { argv: ['sh', '-c', 'echo one; echo two; exit 4'] });
    const first = await commands.attach('demo', id);
    assert.equal(await text(first.process.stdout), 'one\ntwo\n');
    const tail = await commands.attach('demo', id, { tailLines: 1 });
    assert.equal(tail.fromByte, 4);
    assert.equal(await text(tail.process.stdout), 'two\n');
    assert.deepEqual(await tail.process.wait(deadline()), { exitCode: 4 });
  });

  it('refuses what cannot be', async () => {
    const { commands } = api.client;
    await rejectsWith('COMMAND_NOT_FOUND', commands.start('demo', { argv: ['no-such-command'] }));
    await rejectsWith('INVALID_ARGUMENT', commands.start('demo', { argv: [] }));
    await rejectsWith('VM_NOT_FOUND', commands.start('nobody', { argv: ['true'] }));
    await rejectsWith('VM_NOT_FOUND', commands.attach('nobody', 1));
    await rejectsWith('ROUTE_NOT_FOUND', commands.attach('demo', 4_294_967_297));
    await rejectsWith('INVALID_ARGUMENT', commands.attach('demo', 1, { tailLines: -1 }));
    await rejectsWith('INVALID_ARGUMENT', commands.signal('demo', { id: 1, signal: 99 }));
  });
});
