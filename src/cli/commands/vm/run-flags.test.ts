import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRunRequest } from './run-flags.ts';

test('what is not given is not said', () => {
  assert.deepEqual(toRunRequest({ publishAll: false }, {}), {});
});

test('all of them', () => {
  const flags = {
    entrypoint: '/bin/app',
    env: ['A=1=2', 'HERE', 'NOT_HERE'],
    workdir: '/srv',
    user: 'www:www',
    restart: 'always',
    publishAll: true,
  } as const;
  assert.deepEqual(toRunRequest(flags, { HERE: 'set' }), {
    entrypoint: ['/bin/app'],
    env: { A: '1=2', HERE: 'set' },
    cwd: '/srv',
    user: 'www:www',
    restart: 'always',
    publishAll: true,
  });
});

test('an empty entrypoint is none', () => {
  assert.deepEqual(toRunRequest({ publishAll: false, entrypoint: '' }, {}), { entrypoint: [] });
});

test('a variable without a name is refused', () => {
  assert.throws(() => toRunRequest({ publishAll: false, env: ['=x'] }, {}), { code: 'USAGE' });
});
