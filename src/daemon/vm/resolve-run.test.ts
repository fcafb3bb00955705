import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunConfig } from '#contract/owner/image.ts';
import type { RunOverrides } from '#contract/owner/vm-run.ts';
import { commandOf } from '#contract/vm-command.ts';
import { resolveRun } from './resolve-run.ts';

const NGINX: RunConfig = {
  entrypoint: ['/docker-entrypoint.sh'],
  cmd: ['nginx', '-g', 'daemon off;'],
  env: ['PATH=/usr/sbin:/bin', 'NGINX_VERSION=1.27'],
  exposedPorts: ['80/tcp'],
  stopSignal: 'SIGQUIT',
};

function wordsOf(config: RunConfig | undefined, overrides: RunOverrides): string[] {
  return commandOf(resolveRun(config, overrides) ?? undefined);
}

test('an image and a maker that say nothing leave nothing to run', () => {
  assert.equal(resolveRun(undefined, {}), null);
  assert.equal(resolveRun(undefined, { service: true, restart: 'always' }), null);
});

test('what an image says is kept', () => {
  assert.deepEqual(resolveRun(NGINX, {}), {
    ...NGINX,
    workingDir: '/',
    isService: true,
    restart: 'on-failure',
  });
});

test('a command replaces that of the image and follows its entrypoint', () => {
  assert.deepEqual(wordsOf(NGINX, { command: ['-t'] }), ['/docker-entrypoint.sh', '-t']);
});

test('an entrypoint replaces both, and an empty one leaves none', () => {
  assert.deepEqual(wordsOf(NGINX, { entrypoint: ['/bin/cat'] }), ['/bin/cat']);
  assert.deepEqual(wordsOf(NGINX, { entrypoint: ['/bin/cat'], command: ['/etc/passwd'] }), [
    '/bin/cat',
    '/etc/passwd',
  ]);
  assert.deepEqual(wordsOf(NGINX, { entrypoint: [] }), []);
  assert.deepEqual(wordsOf(NGINX, { entrypoint: [], command: ['id'] }), ['id']);
});

test('variables are replaced one by one, where they stand', () => {
  const run = resolveRun(NGINX, { env: { NGINX_VERSION: '2', LANG: 'C' } });
  assert.deepEqual(run?.env, ['PATH=/usr/sbin:/bin', 'NGINX_VERSION=2', 'LANG=C']);
});

test('of a variable that is there twice the last one counts, and what has no name is left out', () => {
  assert.deepEqual(resolveRun({ env: ['A=1', '=x', 'loose', 'A=2'] }, {})?.env, ['A=2']);
});

test('folder and user of the maker go before those of the image', () => {
  const run = resolveRun({ workingDir: '/srv', user: 'www' }, { cwd: '/tmp', user: '7:8' });
  assert.deepEqual([run?.workingDir, run?.user], ['/tmp', '7:8']);
});

test('a relative folder is meant from the root; an image that names none means the root', () => {
  assert.equal(resolveRun({ workingDir: 'srv/app' }, {})?.workingDir, '/srv/app');
  assert.equal(resolveRun({}, {})?.workingDir, '/');
});

test('an image without a configuration keeps the folder of its users', () => {
  assert.equal(resolveRun(undefined, { env: { A: '1' } })?.workingDir, undefined);
});

for (const words of [
  { cmd: ['/sbin/init'] },
  { entrypoint: ['/lib/systemd/systemd'], cmd: ['--system'] },
  { entrypoint: ['/usr/sbin/openrc-init'] },
]) {
  test(`${JSON.stringify(words)} is booted, not run`, () => {
    const run = resolveRun({ ...words, env: ['container=docker'] }, {});
    assert.deepEqual([commandOf(run ?? undefined), run?.isService], [[], false]);
    assert.deepEqual(run?.env, ['container=docker']);
  });
}

test('a command is run beside the init of an image', () => {
  const run = resolveRun({ entrypoint: ['/sbin/init'] }, { command: ['sleep', '9'] });
  assert.deepEqual([commandOf(run ?? undefined), run?.isService], [['sleep', '9'], true]);
});

test('a program that is only called like an init is run', () => {
  assert.deepEqual(wordsOf({ entrypoint: ['/sbin/tini', '--'], cmd: ['app'] }, {}), [
    '/sbin/tini',
    '--',
    'app',
  ]);
});

test('who runs the command himself gets no service; nor does who names none', () => {
  assert.equal(resolveRun(NGINX, { service: false })?.isService, false);
  assert.equal(resolveRun({ env: ['A=1'] }, {})?.isService, false);
});
