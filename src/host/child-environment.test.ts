import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment, daemonEnvironment } from './child-environment.ts';

const OWN = {
  PATH: '/bin',
  HOME: '/home/x',
  TMPDIR: '/tmp',
  LANG: 'de_DE.UTF-8',
  AWS_SECRET_ACCESS_KEY: 'secret',
  BANGER_READY_FD: '3',
  HTTPS_PROXY: 'http://proxy',
  no_proxy: 'localhost',
};

test('a program gets what programs need, and what is given to it', () => {
  const expected = { PATH: '/bin', HOME: '/home/x', TMPDIR: '/tmp', LC_ALL: 'C.UTF-8' };
  assert.deepEqual(childEnvironment({}, OWN), expected);
  const extra = { TMPDIR: '/elsewhere', LC_ALL: 'C', MORE: '1' };
  assert.deepEqual(childEnvironment({ extra }, OWN), { ...expected, ...extra });
});

test('proxies only for a program that uses the network', () => {
  const { HTTPS_PROXY, no_proxy } = childEnvironment({ proxies: true }, OWN);
  assert.deepEqual([HTTPS_PROXY, no_proxy], ['http://proxy', 'localhost']);
});

test('the daemon gets what it reads, and the proxies of its programs', () => {
  const kept = {
    PATH: '/bin',
    HOME: '/home/x',
    XDG_STATE_HOME: '/state',
    BANGER_LOG_LEVEL: 'debug',
    http_proxy: 'http://proxy',
    NODE_COMPILE_CACHE: '/cache',
  };
  const dropped = { AWS_SECRET_ACCESS_KEY: 'secret', SSH_AUTH_SOCK: '/agent', NODE_OPTIONS: '--inspect' };
  assert.deepEqual(daemonEnvironment({ ...kept, ...dropped, UNSET: undefined }), kept);
});
