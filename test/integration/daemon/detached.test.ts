import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import type { BangerClient } from '#sdk/index.ts';
import { OnTerminal, skipWithoutTerminal } from '../cli/on-terminal.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { runBanger, type DaemonPlace } from '../cli/run-banger.ts';
import { RunningBanger } from '../cli/spawn-banger.ts';

const deadline = () => ({ signal: AbortSignal.timeout(10_000) });

async function startWithVm(home: FakeDaemonHome): Promise<BangerClient> {
  const client = await home.start();
  await (await client.vms.create({ name: 'demo' })).result();
  return client;
}

/** How a command line finds the daemon of this home. */
function placeOf({ root }: FakeDaemonHome): DaemonPlace {
  const folders = { HOME: root, XDG_STATE_HOME: join(root, 'state'), XDG_RUNTIME_DIR: join(root, 'run') };
  return { env: { PATH: process.env['PATH'], ...folders } };
}

async function waitForViewers(client: BangerClient, count: number): Promise<void> {
  const isReached = async () =>
    (await client.commands.list('demo')).every(({ viewers }) => viewers === count) ? true : undefined;
  await pollUntil(isReached, deadline());
}

describe('a detached command', { timeout: 60_000 }, () => {
  it('goes on when the daemon is killed, and the next one shows it', async () => {
    await using home = await FakeDaemonHome.create();
    const first = await startWithVm(home);
    const { id } = await first.commands.start('demo', { argv: ['cat'], stdin: true });
    const before = await first.commands.attach('demo', id, { stdin: true });
    before.process.stdin.write('before\n');
    for await (const chunk of before.process.stdout) {
      assert.equal(String(chunk), 'before\n');
      break;
    }
    await home.killDaemon();
    await assert.rejects(before.process.wait(deadline()));
    first.close();

    using second = await home.start();
    assert.partialDeepStrictEqual(await second.commands.list('demo'), [{ id, status: 'running' }]);
    const after = await second.commands.attach('demo', id, { stdin: true });
    after.process.stdin.end('after\n');
    assert.equal(await text(after.process.stdout), 'before\nafter\n');
    assert.deepEqual(await after.process.wait(deadline()), { exitCode: 0 });
  });

  it('is gone with the machine', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await startWithVm(home);
    await client.commands.start('demo', { argv: ['sleep', '60'] });
    await (await client.vms.stop('demo')).result();
    await assert.rejects(client.commands.list('demo'), { code: 'VM_NOT_RUNNING' });
    await (await client.vms.start('demo')).result();
    assert.deepEqual(await client.commands.list('demo'), []);
  });

  it('is started, seen, left, signalled and listed from the command line', async () => {
    await using home = await FakeDaemonHome.create();
    using _client = await startWithVm(home);
    const place = placeOf(home);
    const banger = (...words: string[]) => runBanger(place, ['vm', ...words]);

    const quick = await banger('exec', '-d', 'demo', '--', 'sh', '-c', 'echo one; echo two; exit 7');
    assert.deepEqual([quick.status, quick.text], [0, '1']);
    const ended = await banger('attach', '--tail', '1', 'demo', '1');
    assert.deepEqual([ended.status, ended.text, ended.stderr], [7, 'two', '']);

    const bare = await banger('exec', '--json', 'demo', '--', 'true');
    assert.match(bare.stderr, /banger vm exec --json.*stdout is for the command/);
    assert.equal(bare.status, 2);

    assert.equal((await banger('exec', '--detach', 'demo', '--', 'sh', '-c', 'echo up; sleep 60')).text, '2');
    const left = new RunningBanger(place, ['vm', 'attach', 'demo']);
    await left.says(/^up\n$/);
    left.interrupt();
    assert.equal(await left.ended, 130);
    assert.match(left.stderr, /`banger vm attach demo 2` shows it again/);

    const watching = new RunningBanger(place, ['vm', 'attach', 'demo', '2']);
    await watching.says(/^up\n$/);
    assert.equal((await banger('signal', 'demo', '2', 'term')).text, '2');
    assert.equal(await watching.ended, 128 + 15);
    const table = (await banger('commands', 'demo')).text;
    assert.match(
      table,
      /^ID +STATUS +STARTED +USER +COMMAND\n1 +exited 7 .*\n2 +signal 15 .* sh -c echo up; sleep 60$/,
    );
    const listed: unknown = JSON.parse((await banger('commands', '--json', 'demo')).text);
    assert.partialDeepStrictEqual(listed, [
      { id: 1, exitCode: 7 },
      { id: 2, signal: 15 },
    ]);
  });

  it('takes what is piped only when told so', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await startWithVm(home);
    const place = placeOf(home);
    const started = await runBanger(place, ['vm', 'exec', '-di', '--json', 'demo', '--', 'cat']);
    assert.deepEqual(JSON.parse(started.text), { id: 1 });
    const looking = new RunningBanger(place, ['vm', 'attach', 'demo']);
    looking.child.stdin.end('not this\n');
    await waitForViewers(client, 1);
    const input = 'this\n';
    const typing = await runBanger(place, ['vm', 'attach', '-i', 'demo'], { input });
    assert.deepEqual([typing.status, typing.stdout.toString()], [0, input]);
    assert.equal(await looking.ended, 0);
    assert.equal(looking.stdout, input);
  });

  it('gives every key to a terminal, and two of them leave', { skip: skipWithoutTerminal }, async () => {
    await using home = await FakeDaemonHome.create();
    using client = await startWithVm(home);
    const place = placeOf(home);
    await runBanger(place, ['vm', 'exec', '-dt', 'demo', '--', 'cat']);
    const terminal = new OnTerminal(place, ['vm', 'attach', 'demo']);
    await waitForViewers(client, 1);
    const isRaw = () => {
      terminal.tell('modes');
      return terminal.screen.includes('[raw]') ? true : undefined;
    };
    await pollUntil(isRaw, deadline());
    terminal.tell('type \\x03\\x10x');
    await terminal.shows('\u0003\u0010x');
    terminal.tell('type \\x10\\x11');
    assert.equal(await terminal.ended, 0);
    assert.match(terminal.screen, /shows it again[^]*\[left cooked\]/);
    await waitForViewers(client, 0);
    assert.partialDeepStrictEqual(await client.commands.list('demo'), [{ status: 'running', tty: true }]);
  });

  it('is told from one that is not there', async () => {
    await using home = await FakeDaemonHome.create();
    using _client = await startWithVm(home);
    const place = placeOf(home);
    for (const words of [
      ['attach', 'demo'],
      ['attach', 'demo', '9'],
      ['signal', 'demo', '9'],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one command line after the other
      const result = await runBanger(place, ['vm', ...words]);
      assert.equal(result.status, 3);
      assert.match(result.stderr, /\[DETACHED_COMMAND_NOT_FOUND\]/);
    }
    const missing = await runBanger(place, ['vm', 'exec', '-d', '--json', 'demo', '--', 'nope']);
    assert.equal(missing.status, 127);
    assert.equal(JSON.parse(missing.stderr).error.code, 'COMMAND_NOT_FOUND');
    assert.equal((await runBanger(place, ['vm', 'attach', 'demo', 'x'])).status, 2);
  });
});
