import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUserError } from '#contract/errors.ts';
import { formatReference, parseReference } from './reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

const FULL: [string, string][] = [
  ['alpine', 'docker.io/library/alpine:latest'],
  ['ubuntu:24.04', 'docker.io/library/ubuntu:24.04'],
  ['acme/tool', 'docker.io/acme/tool:latest'],
  ['docker.io/alpine', 'docker.io/library/alpine:latest'],
  ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest'],
  ['ghcr.io/acme/tool:v1', 'ghcr.io/acme/tool:v1'],
  ['GHCR.io/acme/tool:V1', 'ghcr.io/acme/tool:V1'],
  [`ghcr.io/acme/tool@${DIGEST}`, `ghcr.io/acme/tool@${DIGEST}`],
  [`alpine:3.20@${DIGEST}`, `docker.io/library/alpine:3.20@${DIGEST}`],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app:1', 'localhost:5000/app:1'],
  ['[::1]:5000/app', '[::1]:5000/app:latest'],
  ['127.0.0.1:5000/a/b/c/d', '127.0.0.1:5000/a/b/c/d:latest'],
  ['host:80/a__b/c-d/e.f', 'host:80/a__b/c-d/e.f:latest'],
];

for (const [text, full] of FULL) {
  test(`${text} is ${full}`, () => assert.equal(formatReference(parseReference(text)), full));
}

const INVALID: [string, RegExp][] = [
  ['', /it is empty/],
  ['Alpine', /the repository "Alpine" has capitals/],
  ['Acme/tool', /the repository "Acme\/tool" has capitals/],
  ['https://ghcr.io/acme/tool', /has no scheme/],
  ['docker://alpine', /has no scheme/],
  ['alpine:', /"" is no tag/],
  ['alpine:-x', /"-x" is no tag/],
  [`alpine:${'x'.repeat(129)}`, /is no tag/],
  ['alpine@sha256:abc', /"sha256:abc" is no digest/],
  ['alpine@', /"" is no digest/],
  [`alpine@${DIGEST.toUpperCase()}`, /is no digest/],
  ['ghcr.io/', /a part of the path is empty/],
  ['ghcr.io//tool', /a part of the path is empty/],
  ['a/../b', /"\.\." is no part of a path/],
  ['a___b', /"a___b" is no part/],
  ['-a', /"-a" is no part/],
  ['host:99999/a', /"host:99999" is no host/],
  ['host:0/a', /"host:0" is no host/],
  ['ho_st.io/a', /"ho_st.io" is no host/],
  ['[::1/a', /is no host/],
  ['al pine', /it contains " "/],
  ['alpine\n', /it contains "\\n"/],
  ['a?b', /it contains "\?"/],
  ['a'.repeat(600), /more than 512 characters/],
  ['a'.repeat(300), /more than 255 characters/],
  ['0123456789abcdef'.repeat(4), /are an id/],
];

for (const [text, condition] of INVALID) {
  test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.throws(
      () => parseReference(text),
      (error) => isUserError(error, 'IMAGE_REFERENCE_INVALID') && condition.test(error.message),
    );
  });
}

const part = fc.stringMatching(/^[a-z0-9]{1,8}((\.|__?|-{1,2})[a-z0-9]{1,8}){0,2}$/);
const host = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z]{2,5}(:[1-9]\d{0,3})?$/),
  fc.constantFrom('localhost', 'localhost:5000', '127.0.0.1:1', '[::1]', '[fe80::1]:443'),
);
const references = fc.record({
  registry: host,
  repository: fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/')),
  tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
  digest: fc.constantFrom(undefined, DIGEST),
});

test('the full spelling of a reference parses to the same reference', () => {
  fc.assert(
    fc.property(references, (reference) => {
      const expected = { ...reference, tag: reference.tag ?? (reference.digest ? undefined : 'latest') };
      assert.deepEqual(parseReference(formatReference(reference)), expected);
    }),
  );
});

test('any text parses to what a URL can hold, or is refused', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'aA1.:/@-_[]% ') }));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { registry, repository, tag } = parseReference(text);
        const url = new URL(`https://${registry}/v2/${repository}/manifests/${tag ?? DIGEST}`);
        assert.equal(url.pathname, `/v2/${repository}/manifests/${tag ?? DIGEST}`);
      } catch (error) {
        assert.ok(isUserError(error, 'IMAGE_REFERENCE_INVALID'), String(error));
      }
    }),
    { numRuns: 500 },
  );
});
