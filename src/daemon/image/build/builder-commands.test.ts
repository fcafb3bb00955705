import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILDERS, idFileOf, type BuildOrder } from './builder-commands.ts';

const order: BuildOrder = {
  contextFolder: '/home/ada/app',
  dockerfile: '/home/ada/app/Dockerfile',
  buildArgs: ['VERSION=2', 'EMPTY='],
  target: 'release',
  noCache: true,
  outputFolder: '/state/build',
};
const common = [
  ...['--file', '/home/ada/app/Dockerfile', '--iidfile', '/state/build/id'],
  ...[
    '--build-arg',
    'VERSION=2',
    '--build-arg',
    'EMPTY=',
    '--target',
    'release',
    '--no-cache',
    '/home/ada/app',
  ],
];

for (const name of ['buildah', 'podman'] as const) {
  test(`${name} builds and pushes into an OCI layout`, () => {
    const { build, save, result } = BUILDERS[name];
    assert.deepEqual(build(order), ['build', '--layers', '--format', 'oci', ...common]);
    assert.deepEqual(save('abc', order), ['push', '--quiet', 'abc', 'oci:/state/build/layout:latest']);
    assert.equal(result(order), '/state/build/layout');
  });
}

test('docker builds and saves an archive', () => {
  const { build, save, result } = BUILDERS.docker;
  assert.deepEqual(build(order), ['build', ...common]);
  assert.deepEqual(save('abc', order), ['save', '--output', '/state/build/image.tar', 'abc']);
  assert.equal(result(order), '/state/build/image.tar');
  assert.equal(idFileOf(order), '/state/build/id');
});

test('what was not asked for is not said', () => {
  const plain = { ...order, buildArgs: [], target: undefined, noCache: false };
  assert.deepEqual(BUILDERS.docker.build(plain), ['build', ...common.slice(0, 4), '/home/ada/app']);
});
