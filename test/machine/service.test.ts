import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import type { ServiceDefinition } from '#contract/guest/service-messages.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import type { ServiceState, ServiceStatus } from '#contract/owner/service.ts';
import { AgentMachine } from '../support/agent-machine.ts';

const BUSYBOX = '/bin/busybox';
const OPTIONS = { timeout: 90_000 };
const shell = (script: string) => [BUSYBOX, 'sh', '-c', script];
const define = (script: string): ServiceDefinition => ({ argv: shell(script), env: {}, restart: 'no' });

describe('the service of a machine without init, shell, /etc and libc', () => {
  let machine: AgentMachine;

  before(async () => {
    machine = await AgentMachine.boot({ files: { '/run/made-by-image': undefined } });
  });
  after(() => machine[Symbol.asyncDispose]());

  async function whenState(state: ServiceState): Promise<ServiceStatus> {
    const find = async () => {
      const status = await machine.client.service.status();
      return status?.state === state ? status : undefined;
    };
    return pollUntil(find, { signal: AbortSignal.timeout(30_000) });
  }

  async function outputOf(request: ExecRequest): Promise<string> {
    const command = await machine.client.exec(request);
    command.stdin.end();
    return text(command.stdout);
  }

  it('writes to the console, also by the name of its output and as another user', OPTIONS, async () => {
    const script =
      'busybox id -u; busybox pwd; echo $HOME; echo plain; echo by-name >/dev/stdout; echo wrong >&2; test -t 1 || echo pipe';
    const definition = { ...define(script.replaceAll('busybox', BUSYBOX)), user: '1234:5', cwd: '/srv/new' };
    await machine.client.service.define(definition);
    await whenState('exited');
    await machine.waitForConsole(/^1234\n\/srv\/new\n\/\nplain\nby-name\nwrong\npipe$/m);
  });

  it('says on the console why it does not run', OPTIONS, async () => {
    const named = { ...define('true'), user: 'nginx' };
    await machine.client.service.define(named, { replace: true });
    const { failure } = await whenState('failed');
    assert.deepEqual(failure, { code: 'NOT_FOUND', message: 'There is no such user: "nginx"' });
    await machine.waitForConsole(/^banger-agent: cannot start the service: There is no such user: "nginx"$/m);
  });

  it('runs commands as users that no file names', OPTIONS, async () => {
    const script = shell(`echo $(${BUSYBOX} id -u):$(${BUSYBOX} id -g) $NAME`);
    for (const [user, expected] of Object.entries({
      '4242': '4242:0',
      '4242:17': '4242:17',
      root: '0:0',
      '0:5': '0:5',
    })) {
      assert.equal(await outputOf({ argv: script, user, env: { NAME: 'x' } }), `${expected} x\n`);
    }
    const unknown = machine.client.exec({ argv: script, user: 'root:wheel' });
    await assert.rejects(unknown, { code: 'COMMAND_NOT_FOUND', message: /no such group: "root:wheel"/ });
  });

  it('keeps what the image has in /run', OPTIONS, async () => {
    assert.equal(await outputOf({ argv: [BUSYBOX, 'ls', '/run'] }), 'made-by-image\n');
  });

  it('is process 1 of those that it sees', OPTIONS, async () => {
    const script = `echo number $$; echo by-number >/proc/1/fd/1; set -- /proc/[0-9]*; echo sees $#`;
    await machine.client.service.define(define(script), { replace: true });
    await whenState('exited');
    await machine.waitForConsole(/^number 1\nby-number\nsees 1$/m);
  });

  it('takes with it what it started, also what has a session of its own', OPTIONS, async () => {
    const script = `${BUSYBOX} setsid ${BUSYBOX} sleep 12345 & while ! [ -e /srv/end ]; do ${BUSYBOX} sleep 0.1; done; exit 3`;
    const sleepers = async () => (await outputOf({ argv: [BUSYBOX, 'ps'] })).match(/.*sleep 12345/g) ?? [];
    await machine.client.service.define(define(script), { replace: true });
    await pollUntil(async () => (await sleepers())[0], { signal: AbortSignal.timeout(30_000) });
    await machine.client.exec({ argv: shell('echo > /srv/end') });
    const { lastExit } = await whenState('exited');
    assert.deepEqual(lastExit, { exitCode: 3 });
    assert.deepEqual(await sleepers(), []);
  });

  it('is not waited for when it does not hear its stop signal', OPTIONS, async () => {
    const definition = {
      argv: [BUSYBOX, 'sleep', '1000'],
      env: {},
      restart: 'no' as const,
      graceMs: 600_000,
    };
    await machine.client.service.define(definition, { replace: true });
    await whenState('running');
    const stopped = await machine.client.service.stop();
    assert.partialDeepStrictEqual(stopped, { state: 'stopped' });
  });

  it('sees what is mounted meanwhile', OPTIONS, async () => {
    const script = `echo waiting; while ! [ -e /srv/mounted/here ]; do ${BUSYBOX} sleep 0.1; done; echo found it`;
    await machine.client.service.define(define(script), { replace: true });
    await machine.waitForConsole(/^waiting$/m);
    const mount = `${BUSYBOX} mkdir -p /srv/mounted; ${BUSYBOX} mount -t tmpfs none /srv/mounted; : > /srv/mounted/here`;
    await outputOf({ argv: shell(mount) });
    await whenState('exited');
    await machine.waitForConsole(/^found it$/m);
  });

  it('leaves room for commands while it floods the console', OPTIONS, async () => {
    await machine.client.service.define(define(`while :; do ${BUSYBOX} seq 1 100000; done`), {
      replace: true,
    });
    await machine.waitForConsole(/^20000$/m);
    assert.equal(await outputOf({ argv: [BUSYBOX, 'echo', 'here'], env: { PATH: '/nowhere' } }), 'here\n');
    assert.partialDeepStrictEqual(await machine.client.service.stop(), { state: 'stopped' });
  });

  it('is asked to end first when the machine powers off, and its last words are kept', OPTIONS, async () => {
    const script = `trap '${BUSYBOX} sleep 1; echo last words; exit 0' QUIT; echo up; while :; do ${BUSYBOX} sleep 0.1; done`;
    const definition: ServiceDefinition = { ...define(script), stopSignal: 3, restart: 'always' };
    await machine.client.service.define(definition, { replace: true });
    await machine.waitForConsole(/up$/m);
    await machine.client.powerOff({ graceMs: 8000 });
    await machine.waitForExit();
    assert.match(await machine.readConsole(), /^last words$/m);
  });
});
