import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenge } from './challenge.ts';

const bearer = {
  scheme: 'bearer',
  realm: 'https://auth.example/t',
  service: 'r',
  scope: 'repository:a/b:pull',
};

test('a bearer challenge names its token service', () => {
  const header = 'Bearer realm="https://auth.example/t",service="r",scope="repository:a/b:pull"';
  assert.deepEqual(parseChallenge(header), bearer);
  assert.deepEqual(parseChallenge(header.replaceAll(',', ', ').replace('Bearer', 'bearer')), bearer);
});

test('bearer wins over basic, in either order', () => {
  const text = 'Bearer realm="https://auth.example/t",service="r",scope="repository:a/b:pull"';
  assert.deepEqual(parseChallenge(`Basic realm="x", ${text}`), bearer);
  assert.deepEqual(parseChallenge(`${text}, Basic realm="x"`), bearer);
});

test('quoted text is no scheme', () => {
  assert.deepEqual(parseChallenge('Basic realm="x, Bearer realm=y"'), { scheme: 'basic' });
});

test('escapes in quoted text are taken back', () => {
  const found = parseChallenge(String.raw`Bearer realm="https://a/\"b"`);
  assert.deepEqual(found, { scheme: 'bearer', realm: 'https://a/"b', service: undefined, scope: undefined });
});

for (const header of ['', 'Digest realm="x"', 'Bearer service="x"', 'BasicX realm="x"']) {
  test(`nothing known in ${JSON.stringify(header)}`, () => assert.equal(parseChallenge(header), undefined));
}
