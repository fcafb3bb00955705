import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { parseReference } from './reference.ts';
import { serversOf, type ServerOptions } from './registry-servers.ts';

function servers(text: string, options: ServerOptions = {}) {
  return serversOf(parseReference(text), options).map(({ url, repository }) => `${url.href}${repository}`);
}

test('a registry is spoken to over TLS; the default one has its API elsewhere', () => {
  assert.deepEqual(servers('ghcr.io/acme/tool'), ['https://ghcr.io/acme/tool']);
  assert.deepEqual(servers('alpine'), ['https://registry-1.docker.io/library/alpine']);
  assert.deepEqual(servers('localhost:5000/app'), ['https://localhost:5000/app']);
});

for (const host of ['localhost:5000', '127.0.0.1', '127.1.2.3:80', '[::1]:5000']) {
  test(`plain HTTP goes to ${host}`, () => {
    const [url] = servers(`${host}/app`, { insecureHttp: true });
    assert.equal(url, new URL(`http://${host}/app`).href);
  });
}

for (const host of ['ghcr.io', '10.0.0.1:5000', 'localhost.example:80', '128.0.0.1', '[::2]:80']) {
  test(`plain HTTP does not go to ${host}`, () => {
    assert.throws(
      () => servers(`${host}/app`, { insecureHttp: true }),
      (error) => isUserError(error, 'INVALID_ARGUMENT'),
    );
  });
}

test('mirrors come first; their path is put before the repository', () => {
  const mirrors = {
    'docker.io': ['https://a.example', 'https://b.example:8443/hub/'],
    'ghcr.io': ['https://c.example'],
  };
  assert.deepEqual(servers('alpine', { mirrors }), [
    'https://a.example/library/alpine',
    'https://b.example:8443/hub/library/alpine',
    'https://registry-1.docker.io/library/alpine',
  ]);
});

for (const mirror of [
  'http://a.example',
  'a.example',
  'ftp://a',
  'https://u:p@a.example',
  'https://a.example/?x',
]) {
  test(`refuses the mirror ${mirror}`, () => {
    assert.throws(
      () => servers('alpine', { mirrors: { 'docker.io': [mirror] } }),
      (error) => isUserError(error, 'CONFIG_VALUE_INVALID'),
    );
  });
}
