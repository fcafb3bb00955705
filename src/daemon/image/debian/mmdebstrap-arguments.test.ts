import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recipe } from '../recipes.ts';
import { mmdebstrapArguments } from './mmdebstrap-arguments.ts';

const paths = { tarPath: '/w/rootfs.tar', hooksFolder: '/w/hooks', keysFolder: '/w/keys' };
const recipe: Recipe = {
  name: 'debian',
  description: 'Debian',
  suite: 'bookworm',
  variant: 'minbase',
  packages: ['systemd', 'openssh-server'],
  sizeBytes: 2 ** 30,
};

test('asks for the suite, its packages and nothing unsigned', () => {
  const args = mmdebstrapArguments(recipe, 'root', paths);
  assert.deepEqual(args.slice(-2), ['bookworm', '/w/rootfs.tar']);
  assert.match(args.find((arg) => arg.startsWith('--include=')) ?? '', /systemd,.*openssh-server/);
  assert.ok(!args.some((arg) => /unauthenticated|insecure|trusted/i.test(arg)));
});

test('names no mirror: the suite is followed by the result only', () => {
  const args = mmdebstrapArguments(recipe, 'fakechroot', paths);
  assert.ok(!args.some((arg) => /https?:\/\//.test(arg)));
  assert.equal(args[0], '--mode=fakechroot');
});

test('trusts the keys of the recipe alone', () => {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const args = mmdebstrapArguments({ ...recipe, keyring }, 'root', paths);
  assert.deepEqual(
    args.filter((arg) => arg.startsWith('--keyring=')),
    [`--keyring=${keyring}`, '--keyring=/w/keys'],
  );
});
