import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import type { ServiceStatus } from 'banger';
import { createMachineHome } from '../support/artifacts.ts';
import { file, folder, symlink, tarOf } from '../support/layer-tar.ts';
import { runProcess } from '../support/run-process.ts';
import type { TestHome } from '../support/test-home.ts';
import { makeImage, writeLayout } from '../integration/oci/tiny-image.ts';

const SMALL = ['--memory', '256M', '--vcpu', '1', '--no-network'];
const PROGRAM = join(import.meta.dirname, '../fixtures/programs/lone-program.c');

let home: TestHome;

async function importImage(name: string, tar: Buffer, config: object): Promise<void> {
  const layout = join(home.root, `layout-${name}`);
  await writeLayout(layout, [makeImage([tar], { config })]);
  await home.succeed(['image', 'import', layout, '--name', name, '--size', '64M']);
}

/** What a tar begins with whose image has busybox and nothing else yet. */
async function busyboxMembers(): Promise<Buffer[]> {
  const { text: path } = await runProcess('sh', ['-c', 'command -v busybox']);
  return [folder('bin'), file('bin/busybox', await readFile(path), { mode: 0o755 })];
}

async function serviceOf(vm: string): Promise<ServiceStatus> {
  const { text } = await home.succeed(['vm', 'show', '--json', vm]);
  return (JSON.parse(text) as { service: ServiceStatus }).service;
}

const waitForService = (vm: string, isMeant: (status: ServiceStatus) => boolean) =>
  pollUntil(
    async () => {
      const status = await serviceOf(vm);
      return isMeant(status) ? status : undefined;
    },
    { signal: AbortSignal.timeout(60_000) },
  );

/** What a VM printed that is not the kernel's. */
async function linesOf(vm: string, begin: string): Promise<string[]> {
  const { text } = await home.succeed(['vm', 'logs', vm]);
  const lines = text.split('\n').map((line) => line.trimEnd());
  return lines.filter((line) => line.startsWith(begin));
}

before(async () => {
  home = await createMachineHome();
});
after(() => home[Symbol.asyncDispose]());

describe('an image of one static program', () => {
  before(async () => {
    const path = join(home.root, 'lone');
    const { status, stderr } = await runProcess('musl-gcc', ['-static', '-Os', '-o', path, PROGRAM]);
    assert.equal(status, 0, stderr);
    await importImage('lone', tarOf(file('lone', await readFile(path), { mode: 0o755 })), {
      Entrypoint: ['/lone'],
      Cmd: ['own'],
      Env: ['MADE=image'],
      WorkingDir: '/not/there/yet',
      User: '7:8',
      StopSignal: 'SIGUSR1',
    });
  });

  it('runs what it is there for, and commands as it says; a shell there is none', async () => {
    const ran = await home.succeed(['vm', 'run', '--image', 'lone', '--name', 'tool', ...SMALL]);
    assert.equal(ran.text, 'own as 7:8 in /not/there/yet, made image');
    const plain = await home.succeed(['vm', 'exec', 'tool', '--', '/lone', 'again']);
    assert.equal(plain.text, 'again as 7:8 in /not/there/yet, made image');
    const flags = ['-u', '0', '-w', '/', '-e', 'MADE=here'];
    const changed = await home.succeed(['vm', 'exec', ...flags, 'tool', '--', '/lone', 'other']);
    assert.equal(changed.text, 'other as 0:0 in /, made here');
    const missing = await home.cli(['vm', 'exec', '-w', '/nowhere', 'tool', '--', '/lone', 'x']);
    assert.match(missing.stderr, /"\/nowhere"/);
    assert.equal(missing.status, 127);
    const shell = await home.cli(['vm', 'exec', '-t', 'tool']);
    assert.match(
      shell.stderr,
      /Cannot open a shell in "tool": it has no \/bin\/sh \[SHELL_NOT_FOUND\]\nhint: /,
    );
    assert.equal(shell.status, 127);
    await home.succeed(['vm', 'delete', '-f', 'tool']);
  });

  it('runs as a service: started again when it fails, at each boot, and stopped with its signal', async () => {
    const made = await home.succeed([
      ...['vm', 'run', '-d', '--image', 'lone', '--name', 'web', '-u', '0', ...SMALL],
      ...['--', 'serve'],
    ]);
    assert.equal(made.text, 'web');
    const status = await waitForService('web', ({ starts, state }) => starts === 2 && state === 'running');
    assert.deepEqual(status.lastExit, { exitCode: 3 });
    assert.deepEqual(await linesOf('web', 'lone:'), ['lone: first start fails', 'lone: serves']);

    await home.killDaemon();
    assert.deepEqual(await waitForService('web', ({ state }) => state === 'running'), status);

    await home.succeed(['vm', 'stop', 'web']);
    assert.deepEqual((await linesOf('web', 'lone:')).at(-1), 'lone: stopped by 10');
    await home.succeed(['vm', 'start', 'web']);
    await waitForService('web', ({ state }) => state === 'running');
    assert.deepEqual((await linesOf('web', 'lone:')).at(-1), 'lone: serves');
    await home.succeed(['vm', 'delete', '-f', 'web']);
  });
});

describe('an image with a shell and users', () => {
  before(async () => {
    await importImage(
      'box',
      tarOf(
        ...(await busyboxMembers()),
        symlink('bin/sh', 'busybox'),
        symlink('bin/id', 'busybox'),
        folder('etc'),
        file('etc/passwd', 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n'),
        file('etc/group', 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n'),
        folder('home'),
        folder('home/app', { uid: 1000, gid: 1000 }),
      ),
      { Cmd: ['/bin/sh'], Env: ['PATH=/bin', 'GREETING=two words'], User: 'app', WorkingDir: '/home/app' },
    );
  });

  it('its shell reads stdin, as its user', async () => {
    const input = 'id; pwd; echo "$GREETING"; exit 4\n';
    const result = await home.cli(['vm', 'run', '--rm', '--image', 'box', ...SMALL], { input });
    assert.deepEqual(
      [result.text, result.status],
      ['uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n/home/app\ntwo words', 4],
    );
  });

  it('has no network where it is to have none, and a process 1 that buries what nobody waits for', async () => {
    const script = [
      'busybox ls /sys/class/net',
      '(busybox sleep 0 &)',
      'busybox sleep 1',
      'busybox ps -o stat | busybox grep -c Z',
    ].join('; ');
    const run = ['vm', 'run', '--rm', '--image', 'box', ...SMALL, '--', 'sh', '-c', script];
    assert.equal((await home.cli(run)).text, 'lo\n0');
  });

  it('a service that cannot be executed is said, and the VM stays for a look', async () => {
    const result = await home.cli([
      ...['vm', 'run', '-d', '--image', 'box', '--name', 'wrong', ...SMALL],
      ...['--', '/no/such'],
    ]);
    assert.deepEqual([result.text, result.status], ['wrong', 127]);
    assert.match(
      result.stderr,
      /Cannot start "\/no\/such" as the service of "wrong": .*\[COMMAND_NOT_FOUND\]/,
    );
    assert.equal((await serviceOf('wrong')).state, 'failed');
    const { text } = await home.succeed(['vm', 'exec', 'wrong', '--', 'sh', '-c', 'echo "$GREETING"']);
    assert.equal(text, 'two words');
    await home.succeed(['vm', 'delete', '-f', 'wrong']);
  });
});

describe('an image with an init that is nobody’s', () => {
  it('gives it the console', async () => {
    const script = '#!/bin/busybox sh\necho "init: $$"\nexec /bin/busybox sleep 1000\n';
    await importImage(
      'own-init',
      tarOf(...(await busyboxMembers()), folder('sbin'), file('sbin/init', script, { mode: 0o755 })),
      {},
    );
    await home.succeed(['vm', 'create', '--image', 'own-init', '--name', 'own', ...SMALL]);
    const said = async () => ((await linesOf('own', 'init:')).length > 0 ? true : undefined);
    await pollUntil(said, { signal: AbortSignal.timeout(30_000) });
    assert.deepEqual(await linesOf('own', 'init:'), ['init: 1']);
    const look = 'for fd in 0 1 2; do busybox readlink /proc/1/fd/$fd; done';
    const links = await home.succeed(['vm', 'exec', 'own', '--', '/bin/busybox', 'sh', '-c', look]);
    assert.equal(links.text, '/dev/console\n/dev/console\n/dev/console');
    await home.succeed(['vm', 'delete', '-f', 'own']);
  });
});
