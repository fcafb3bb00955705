import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRunDefaults } from './run-defaults.ts';

const RUN = {
  entrypoint: ['/entry'],
  env: ['A=image', 'B=image'],
  workingDir: '/srv',
  user: 'www',
  isService: true,
  restart: 'no',
} as const;

const run = { ...RUN, entrypoint: [...RUN.entrypoint], env: [...RUN.env] };

test('a command gets what it does not say, and no entrypoint', () => {
  assert.deepEqual(withRunDefaults({ argv: ['id'] }, run), {
    argv: ['id'],
    env: { A: 'image', B: 'image' },
    cwd: '/srv',
    user: 'www',
  });
});

test('what it says goes before', () => {
  const request = { argv: ['id'], env: { B: 'own' }, cwd: '/tmp', user: 'root', tty: true };
  assert.deepEqual(withRunDefaults(request, run), { ...request, env: { A: 'image', B: 'own' } });
});

test('a VM of an image that says nothing adds nothing', () => {
  const request = { argv: ['id'] };
  assert.equal(withRunDefaults(request, undefined), request);
});
