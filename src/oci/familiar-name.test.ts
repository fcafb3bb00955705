import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { familiarName } from './familiar-name.ts';
import { formatReference, parseReference } from './reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

const FAMILIAR: [string, string][] = [
  ['alpine', 'alpine'],
  ['alpine:latest', 'alpine'],
  ['library/alpine', 'alpine'],
  ['docker.io/library/alpine:latest', 'alpine'],
  ['index.docker.io/alpine', 'alpine'],
  ['docker.io/acme/tool:latest', 'acme/tool'],
  ['docker.io/library/a/b', 'library/a/b'],
  ['docker.io/localhost/tool', 'docker.io/localhost/tool'],
  ['ubuntu:24.04', 'ubuntu:24.04'],
  ['GHCR.io/acme/tool:latest', 'ghcr.io/acme/tool'],
  ['localhost:5000/app:latest', 'localhost:5000/app'],
  [`alpine@${DIGEST}`, `alpine@${DIGEST}`],
  [`alpine:latest@${DIGEST}`, `alpine:latest@${DIGEST}`],
  ['Mine-1', 'Mine-1'],
  ['Mine:latest', 'Mine:latest'],
  ['a b', 'a b'],
  ['', ''],
];

for (const [text, familiar] of FAMILIAR) {
  test(`${JSON.stringify(text)} is called ${JSON.stringify(familiar)}`, () =>
    assert.equal(familiarName(text), familiar));
}

const part = fc.stringMatching(/^[a-z0-9]{1,4}$/);
const reference = fc
  .tuple(
    fc.constantFrom('', 'docker.io/', 'index.docker.io/', 'ghcr.io/', 'localhost:5000/'),
    fc.constantFrom('', 'library/', 'library/acme/', 'acme/', 'a.b/', 'localhost/'),
    part,
    fc.constantFrom('', ':latest', ':1'),
    fc.constantFrom('', `@${DIGEST}`),
  )
  .map((parts) => parts.join(''));

test('two references have one name exactly when they mean the same', () => {
  fc.assert(
    fc.property(reference, reference, (one, other) => {
      const full = (text: string) => formatReference(parseReference(text));
      assert.equal(full(familiarName(one)), full(one));
      assert.equal(familiarName(one) === familiarName(other), full(one) === full(other));
    }),
  );
});
