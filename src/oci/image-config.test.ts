import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { assertLayerCount, parseImageConfig } from './image-config.ts';

const DIFF_ID = `sha256:${'a'.repeat(64)}`;
const minimal = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [DIFF_ID] } };

const parse = (document: unknown) => parseImageConfig(Buffer.from(JSON.stringify(document)));

test('everything that an image says about how it is run is read', () => {
  const config = parse({
    ...minimal,
    variant: 'v1',
    config: {
      Entrypoint: ['/init'],
      Cmd: ['--now'],
      Env: ['PATH=/bin', 'A='],
      WorkingDir: '/srv',
      User: '1000:1000',
      Labels: { a: 'b' },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      StopSignal: 'SIGQUIT',
      Volumes: { '/data': {} },
    },
  });
  assert.deepEqual(config, {
    os: 'linux',
    architecture: 'amd64',
    variant: 'v1',
    entrypoint: ['/init'],
    cmd: ['--now'],
    env: ['PATH=/bin', 'A='],
    workingDir: '/srv',
    user: '1000:1000',
    labels: { a: 'b' },
    exposedPorts: ['80/tcp', '53/udp'],
    stopSignal: 'SIGQUIT',
    diffIds: [DIFF_ID],
  });
});

test('what is null or missing is empty', () => {
  const silent = parse(minimal);
  assert.deepEqual(parse({ ...minimal, config: null }), silent);
  assert.deepEqual(parse({ ...minimal, config: { Entrypoint: null, Cmd: null, Labels: null } }), silent);
  assert.deepEqual([silent.entrypoint, silent.env, silent.user, silent.labels], [[], [], '', {}]);
});

const REFUSED: [string, object][] = [
  ['a NUL byte in a variable', { ...minimal, config: { Env: ['A=\0'] } }],
  ['a NUL byte in a label', { ...minimal, config: { Labels: { 'a\0': '' } } }],
  ['a number for a word', { ...minimal, config: { Cmd: [1] } }],
  ['a text for a list', { ...minimal, config: { Entrypoint: '/bin/sh' } }],
  ['no architecture', { os: 'linux', rootfs: minimal.rootfs }],
  ['no layers', { os: 'linux', architecture: 'amd64' }],
  ['a diff id that is no digest', { ...minimal, rootfs: { type: 'layers', diff_ids: ['x'] } }],
];

for (const [name, document] of REFUSED) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => parse(document),
      (error) => isUserError(error, 'IMAGE_PULL_FAILED'),
    );
  });
}

test('a configuration speaks of as many layers as the manifest', () => {
  assertLayerCount(parse(minimal), 1);
  assert.throws(() => assertLayerCount(parse(minimal), 2), /2 layers, its configuration 1/);
});
