import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authFilesOf } from './find-credentials.ts';

test('logins are looked for where podman, skopeo and docker keep them', () => {
  assert.deepEqual(authFilesOf({ XDG_RUNTIME_DIR: '/run/user/7' }, '/home/ada'), [
    '/run/user/7/containers/auth.json',
    '/home/ada/.config/containers/auth.json',
    '/home/ada/.docker/config.json',
  ]);
});

test('without a runtime folder podman keeps them in the configuration', () => {
  assert.deepEqual(authFilesOf({}, '/home/ada'), [
    '/home/ada/.config/containers/auth.json',
    '/home/ada/.docker/config.json',
  ]);
});

test('what says where they are is followed', () => {
  const environment = {
    XDG_RUNTIME_DIR: '/run/user/7',
    XDG_CONFIG_HOME: '/etc/ada',
    REGISTRY_AUTH_FILE: '/secrets/registries.json',
    DOCKER_CONFIG: '/secrets/docker',
  };
  assert.deepEqual(authFilesOf(environment, '/home/ada'), [
    '/secrets/registries.json',
    '/etc/ada/containers/auth.json',
    '/secrets/docker/config.json',
  ]);
});

test('a path that depends on where somebody is says nothing to a daemon', () => {
  const environment = { REGISTRY_AUTH_FILE: 'auth.json', DOCKER_CONFIG: '', XDG_CONFIG_HOME: '.' };
  assert.deepEqual(authFilesOf(environment, '/home/ada'), authFilesOf({}, '/home/ada'));
});
