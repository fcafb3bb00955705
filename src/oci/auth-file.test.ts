import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { parseAuthFile } from './auth-file.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const parse = (document: unknown) => parseAuthFile(JSON.stringify(document), '/x/config.json');

test('logins are found under host and path, however they were written', () => {
  const { auths } = parse({
    auths: {
      'https://index.docker.io/v1/': { auth: encode('ada:secret:with:colons') },
      'ghcr.io/acme': { username: 'bob', password: 'pw' },
      'http://localhost:5000': { auth: encode('eve:x'), identitytoken: 'tok' },
      'quay.io/': { auth: encode('zoe:y') },
      'empty.example': {},
    },
  });
  assert.deepEqual(auths.get('index.docker.io'), {
    kind: 'password',
    username: 'ada',
    password: 'secret:with:colons',
  });
  assert.deepEqual(auths.get('ghcr.io/acme'), { kind: 'password', username: 'bob', password: 'pw' });
  assert.deepEqual(auths.get('localhost:5000'), { kind: 'identity-token', token: 'tok' });
  assert.ok(auths.has('quay.io'));
  assert.ok(!auths.has('empty.example'), 'an entry without a login');
});

test('helpers are read, and everything else of Docker is left alone', () => {
  const file = parse({ credHelpers: { 'gcr.io': 'gcloud' }, credsStore: 'pass', psFormat: 'x', auths: null });
  assert.equal(file.credHelpers.get('gcr.io'), 'gcloud');
  assert.equal(file.credsStore, 'pass');
});

for (const text of ['', '[]', '{"auths":1}', '{"auths":{"a":{"password":5}}}']) {
  test(`refuses ${JSON.stringify(text)} without quoting it`, () => {
    assert.throws(
      () => parseAuthFile(text, '/x/config.json'),
      (error) => isUserError(error, 'REGISTRY_AUTH_FAILED') && error.cause === undefined,
    );
  });
}
