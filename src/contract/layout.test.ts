import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLayout } from './layout.ts';

const HOME = '/home/ada';

test('without variables everything is below the home folder, and sockets below /tmp by uid', () => {
  assert.deepEqual(resolveLayout({}, 1000, HOME), {
    configDir: '/home/ada/.config/banger',
    configPath: '/home/ada/.config/banger/config.toml',
    systemConfigPath: '/etc/banger/config.toml',
    stateDir: '/home/ada/.local/state/banger',
    cacheDir: '/home/ada/.cache/banger',
    runtimeDir: '/tmp/banger-runtime-1000',
    socketPath: '/tmp/banger-runtime-1000/bangerd.sock',
    databasePath: '/home/ada/.local/state/banger/banger.db',
    logPath: '/home/ada/.local/state/banger/bangerd.log',
    vmsDir: '/home/ada/.local/state/banger/vms',
    imagesDir: '/home/ada/.local/state/banger/images',
    kernelsDir: '/home/ada/.local/state/banger/kernels',
  });
});

test('each XDG variable moves its own folder and what is in it', () => {
  const plain = resolveLayout({}, 1000, HOME);
  const state = resolveLayout({ XDG_STATE_HOME: '/srv/state' }, 1000, HOME);
  assert.equal(state.databasePath, '/srv/state/banger/banger.db');
  assert.equal(state.vmsDir, '/srv/state/banger/vms');
  assert.equal(state.cacheDir, plain.cacheDir);
  assert.equal(state.socketPath, plain.socketPath);
  const runtime = resolveLayout({ XDG_RUNTIME_DIR: '/run/user/1000' }, 1000, HOME);
  assert.equal(runtime.socketPath, '/run/user/1000/banger/bangerd.sock');
  assert.equal(runtime.stateDir, plain.stateDir);
  assert.equal(resolveLayout({ XDG_CACHE_HOME: '/srv/c' }, 1000, HOME).cacheDir, '/srv/c/banger');
  assert.equal(resolveLayout({ XDG_CONFIG_HOME: '/srv/e' }, 1000, HOME).configDir, '/srv/e/banger');
});

test('a relative or empty variable counts as unset', () => {
  const variables = ['XDG_STATE_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME'];
  for (const value of ['', 'state', './state', '~/state']) {
    const environment = Object.fromEntries(variables.map((name) => [name, value]));
    assert.deepEqual(resolveLayout(environment, 1000, HOME), resolveLayout({}, 1000, HOME), value);
  }
});

test('slashes at the end of a variable make no other folder', () => {
  const environment = (end: string) => ({
    XDG_STATE_HOME: `/srv${end}`,
    XDG_RUNTIME_DIR: `/run/user/7${end}`,
  });
  assert.deepEqual(resolveLayout(environment('//'), 7, HOME), resolveLayout(environment(''), 7, HOME));
});

test('two users without a runtime folder do not share one', () => {
  assert.notEqual(resolveLayout({}, 1000, HOME).runtimeDir, resolveLayout({}, 1001, HOME).runtimeDir);
});
