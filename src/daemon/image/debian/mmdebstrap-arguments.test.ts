import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipes } from '../recipes.ts';
import { mmdebstrapArguments } from './mmdebstrap-arguments.ts';

const paths = { tarPath: '/w/rootfs.tar', hooksFolder: '/w/hooks' };

test('asks for the suite, its packages and nothing unsigned', () => {
  const args = mmdebstrapArguments(recipes[0]!, 'root', paths);
  assert.deepEqual(args.slice(-2), ['bookworm', '/w/rootfs.tar']);
  assert.match(args.find((arg) => arg.startsWith('--include=')) ?? '', /systemd,.*openssh-server/);
  assert.ok(!args.some((arg) => /unauthenticated|insecure|trusted/i.test(arg)));
});

test('names no mirror: the suite is followed by the result only', () => {
  const args = mmdebstrapArguments(recipes[0]!, 'fakechroot', paths);
  assert.ok(!args.some((arg) => /https?:\/\//.test(arg)));
  assert.equal(args[0], '--mode=fakechroot');
});
