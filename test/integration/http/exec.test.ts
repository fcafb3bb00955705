import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { ApiFixture } from './api-fixture.ts';

const deadline = () => ({ signal: AbortSignal.timeout(10_000) });

describe('exec over the API', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open();
    await api.runningVm('demo');
  });
  after(() => api[Symbol.asyncDispose]());

  it('gives pid, output and exit code', async () => {
    const command = await api.client.vms.exec('demo', {
      argv: ['sh', '-c', 'echo out; echo err >&2; exit 42'],
    });
    assert.ok(command.pid > 0);
    const [out, err, result] = await Promise.all([
      text(command.stdout),
      text(command.stderr),
      command.wait(deadline()),
    ]);
    assert.deepEqual({ out, err, result }, { out: 'out\n', err: 'err\n', result: { exitCode: 42 } });
  });

  it('passes 64 MiB of random bytes through unchanged', async () => {
    const command = await api.client.vms.exec('demo', { argv: ['cat'] });
    const block = randomBytes(2 ** 20);
    const sent = createHash('sha256');
    const received = createHash('sha256');
    const feeding = (async () => {
      for (let index = 0; index < 64; index += 1) {
        sent.update(block);
        if (!command.stdin.write(block)) await once(command.stdin, 'drain');
      }
      command.stdin.end();
    })();
    for await (const chunk of command.stdout) received.update(chunk as Buffer);
    await feeding;
    assert.deepEqual(await command.wait(deadline()), { exitCode: 0 });
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });

  it('tells a refusal also to who has sent the whole command along with the request', async () => {
    const argv = ['true', 'x'.repeat(60_000)];
    for (let attempt = 0; attempt < 20; attempt += 1)
      await assert.rejects(api.client.vms.exec('nobody', { argv }), { code: 'VM_NOT_FOUND' });
  });

  it('delivers a signal', async () => {
    const command = await api.client.vms.exec('demo', { argv: ['sleep', '60'] });
    command.kill(15);
    assert.deepEqual(await command.wait(deadline()), { signal: 15 });
  });

  it('keeps the account of credit while nobody reads, and others go on', async () => {
    let written = 0;
    const guest = [...api.services.vms.guests.values()][0];
    guest?.state.programs.set('flood', async ({ writeOut }) => {
      const block = Buffer.alloc(32_752);
      for (; written < 2000; written += 1) await writeOut(block);
      return { exitCode: 0 };
    });
    const flood = await api.client.vms.exec('demo', { argv: ['flood'] });
    await pollUntil(() => (written >= 8 ? true : undefined), deadline());
    const other = await api.client.vms.exec('demo', { argv: ['echo', 'hello'] });
    assert.equal(await text(other.stdout), 'hello\n');
    assert.ok(written <= 9, `${written} blocks written without a reader`);
    const received = await buffer(flood.stdout);
    assert.equal(received.length, 2000 * 32_752);
    assert.deepEqual(await flood.wait(deadline()), { exitCode: 0 });
  });

  it('throws away what a destroyed output gets, so that the command ends', async () => {
    const command = await api.client.vms.exec('demo', { argv: ['cat'] });
    command.stdout.destroy();
    command.stdin.end(Buffer.alloc(4 * 2 ** 20));
    assert.deepEqual(await command.wait(deadline()), { exitCode: 0 });
  });

  it('tells before the start what is wrong with the command', async () => {
    await assert.rejects(api.client.vms.exec('demo', { argv: ['nonsense'] }), { code: 'COMMAND_NOT_FOUND' });
    await assert.rejects(api.client.vms.exec('demo', { argv: ['/etc/passwd'] }), {
      code: 'COMMAND_NOT_EXECUTABLE',
    });
    await assert.rejects(api.client.vms.exec('demo', { argv: [] }), {
      code: 'INVALID_ARGUMENT',
      message: /"argv"/,
    });
    await assert.rejects(api.client.vms.exec('demo', { argv: ['x'.repeat(70_000)] }), {
      code: 'REQUEST_TOO_LARGE',
    });
  });

  it('answers with an ordinary error before the upgrade', async () => {
    await assert.rejects(api.client.vms.exec('nobody', { argv: ['true'] }), {
      code: 'VM_NOT_FOUND',
      hint: 'banger list',
    });
  });

  it('ends the command of a client that leaves', async () => {
    let ended = false;
    const guest = [...api.services.vms.guests.values()][0];
    guest?.state.programs.set('linger', async ({ sleep }) => {
      await sleep(60_000).finally(() => {
        ended = true;
      });
      return { exitCode: 0 };
    });
    const command = await api.client.vms.exec('demo', { argv: ['linger'] });
    command.close();
    await assert.rejects(command.wait(), { code: 'OPERATION_CANCELLED' });
    await pollUntil(() => (ended ? true : undefined), deadline());
  });

  it('ends the command when the signal aborts, with its reason', async () => {
    const leaving = new AbortController();
    const command = await api.client.vms.exec('demo', { argv: ['sleep', '60'] }, { signal: leaving.signal });
    const reason = new Error('Ctrl-C');
    leaving.abort(reason);
    await assert.rejects(command.wait(), reason);
  });

  it('tells that the link to the guest was lost', async () => {
    const vm = await api.runningVm('fragile');
    const command = await api.client.vms.exec('fragile', { argv: ['sleep', '60'] });
    api.services.vms.guests.get(vm.id)?.dropConnection();
    await assert.rejects(command.wait(deadline()), { code: 'GUEST_LINK_LOST' });
    assert.ok(command.stdout.destroyed);
  });

  it('tells that the daemon went away', async () => {
    await using other = await ApiFixture.open();
    await other.runningVm('demo');
    const command = await other.client.vms.exec('demo', { argv: ['sleep', '60'] });
    await other.server.close();
    await assert.rejects(command.wait(deadline()), { code: 'DAEMON_UNREACHABLE' });
  });

  it('runs thirty commands at once', async () => {
    const outputs = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const command = await api.client.vms.exec('demo', { argv: ['echo', String(index)] });
        return text(command.stdout);
      }),
    );
    assert.deepEqual(
      outputs,
      Array.from({ length: 30 }, (_, index) => `${index}\n`),
    );
  });
});
