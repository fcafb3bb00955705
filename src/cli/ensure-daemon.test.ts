import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureDaemon, type DaemonStart } from './ensure-daemon.ts';

const attempt = (outcome: DaemonStart) => ensureDaemon(async () => outcome, '/state/bangerd.log', {});

test('a daemon that is ready is all there is to say', async () => {
  await attempt({ ready: true });
});

test('what the daemon says of itself is passed on', async () => {
  const failure = { code: 'STORE_TOO_NEW', message: 'Cannot open the store: it is newer', hint: 'upgrade' };
  await assert.rejects(attempt({ ready: false, failure, logTail: 'x' }), {
    code: 'STORE_TOO_NEW',
    message: 'Cannot open the store: it is newer',
    hint: 'upgrade',
  });
});

test('without a word, or with a bug, its log is shown', async () => {
  await assert.rejects(attempt({ ready: false, logTail: 'last words\n' }), {
    code: 'DAEMON_START_FAILED',
    hint: 'read its log: /state/bangerd.log',
    details: { log: 'last words\n' },
  });
  await assert.rejects(
    attempt({ ready: false, failure: { code: 'INTERNAL', message: 'oops' }, logTail: 'stack' }),
    {
      code: 'DAEMON_START_FAILED',
      message: 'Cannot start the daemon: oops',
      details: { log: 'stack' },
    },
  );
});

for (const [systemCode, code, hint] of [
  ['EROFS', 'STATE_FOLDER_UNUSABLE', /dmesg/],
  ['EACCES', 'STATE_FOLDER_UNUSABLE', /XDG_STATE_HOME/],
  ['EPERM', 'STATE_FOLDER_UNUSABLE', /XDG_STATE_HOME/],
  ['ENOSPC', 'HOST_DISK_FULL', /make room/],
  ['EDQUOT', 'HOST_DISK_FULL', /quota/],
] as const) {
  test(`a folder that cannot be written for ${systemCode} is ${code}`, async () => {
    const error = Object.assign(new Error(systemCode), { code: systemCode });
    const start = () => Promise.reject(error);
    await assert.rejects(ensureDaemon(start, '/state/bangerd.log', {}), { code, hint, cause: error });
  });
}

test('anything else that keeps the program from being run is a bug', async () => {
  const error = new TypeError('no such function');
  await assert.rejects(
    ensureDaemon(() => Promise.reject(error), '/log', {}),
    (thrown) => thrown === error,
  );
});
