import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { BangerClient } from 'banger';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];
const deadline = () => ({ signal: AbortSignal.timeout(60_000) });

describe('a detached command in a machine', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    await home.succeed(['vm', 'create', '--name', 'demo', ...SMALL]);
  });
  after(() => home[Symbol.asyncDispose]());

  async function detach(...words: string[]): Promise<string> {
    return (await home.succeed(['vm', 'exec', '-d', 'demo', '--', ...words])).text;
  }

  it('goes on while the daemon is killed, and its status comes back', async () => {
    const id = await detach(
      'sh',
      '-c',
      'echo one; while ! test -e /root/go; do sleep 0.1; done; echo two; exit 7',
    );
    using client = await home.client();
    const watching = await client.commands.attach('demo', Number(id));
    await once(watching.process.stdout, 'data');
    await home.killDaemon();
    await assert.rejects(watching.process.wait(deadline()));
    await home.succeed(['vm', 'exec', 'demo', '--', 'touch', '/root/go']);
    const result = await home.cli(['vm', 'attach', 'demo', id]);
    assert.deepEqual([result.status, result.text, result.stderr], [7, 'one\ntwo', '']);
  });

  it('is seen by two at once, and one that does not read holds up nobody', async () => {
    const id = Number(await detach('sh', '-c', 'sleep 1; seq 1 400000; echo end'));
    using client = await home.client();
    const views = await Promise.all([1, 2, 3].map(() => client.commands.attach('demo', id)));
    const [first, second, slow] = views as [View, View, View];
    const seen = await Promise.all([first, second].map(({ process }) => text(process.stdout)));
    for (const output of seen) assert.ok(output.endsWith('\n400000\nend\n'), output.slice(-50));
    assert.deepEqual(await first.process.wait(deadline()), { exitCode: 0 });
    const late = await text(slow.process.stdout);
    assert.ok(late.endsWith('\n400000\nend\n') && late.startsWith('1\n'));
    assert.deepEqual(await slow.process.wait(deadline()), { exitCode: 0 });
  });

  it('has a terminal that any viewer may type on', async () => {
    const script = 'stty -echo; echo ready; read line; tty >/dev/null && echo "<$line>"';
    const started = await home.succeed(['vm', 'exec', '-dt', 'demo', '--', 'sh', '-c', script]);
    using client = await home.client();
    const typing = await client.commands.attach('demo', Number(started.text), { stdin: true });
    assert.deepEqual([typing.tty, typing.takesInput], [true, true]);
    typing.process.stdin.write('hello\n');
    assert.match(await text(typing.process.stdout), /<hello>\r\n$/);
  });

  it('is ended by a signal, listed, and forgotten with the machine', async () => {
    const id = await detach('sleep', '1000');
    await home.succeed(['vm', 'signal', 'demo', id, 'TERM']);
    assert.equal((await home.cli(['vm', 'attach', 'demo', id])).status, 128 + 15);
    using client = await home.client();
    assert.partialDeepStrictEqual((await client.commands.list('demo')).at(-1), {
      argv: ['sleep', '1000'],
      signal: 15,
    });
    await home.succeed(['vm', 'stop', 'demo']);
    await home.succeed(['vm', 'start', 'demo']);
    assert.deepEqual(await client.commands.list('demo'), []);
  });

  it('is asked to end when the machine powers off, and does not hold that up', async () => {
    await detach('sh', '-c', "trap 'echo asked > /root/asked; sync; exit' TERM; while :; do sleep 0.1; done");
    await detach('sh', '-c', "trap '' TERM HUP; while :; do sleep 1; done");
    using client = await home.client();
    assert.equal(await (await client.vms.stop('demo', { timeoutMs: 30_000 })).result(), 'powered-off');
    await home.succeed(['vm', 'start', 'demo']);
    assert.equal((await home.succeed(['vm', 'exec', 'demo', '--', 'cat', '/root/asked'])).text, 'asked');
  });

  it('belongs to a machine whose disk and name change while it runs', async () => {
    const size = async () =>
      Number((await home.succeed(['vm', 'exec', 'demo', '--', 'stat', '-f', '-c', '%b', '/'])).text);
    const before = await size();
    await home.succeed(['vm', 'set', '--disk-size', '12G', 'demo']);
    assert.ok((await size()) * 4096 > 11 * 2 ** 30 && (await size()) > before);
    await home.succeed(['vm', 'rename', 'demo', 'renamed']);
    const names = ['sh', '-c', 'hostname; cat /etc/hostname; getent hosts renamed'];
    const { text: told } = await home.succeed(['vm', 'exec', 'renamed', '--', ...names]);
    assert.match(told, /^renamed\nrenamed\n127\.0\.1\.1\s+renamed$/);
  });
});

type View = Awaited<ReturnType<BangerClient['commands']['attach']>>;
