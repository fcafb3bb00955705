import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { makeCertificates } from './certificates.ts';
import { push, skip, startRegistry } from './debian-registry.ts';
import { makePullPlace } from './pull-place.ts';
import { makeImage } from './tiny-image.ts';

const image = makeImage(['a layer']);

async function setUp(t: TestContext) {
  const place = await makePullPlace(t);
  const certificates = await makeCertificates(place.folder);
  const registry = await startRegistry(t, { tls: certificates });
  await push([image], `${registry}/app`);
  return { ...place, registry, authority: certificates.authority };
}

describe('a registry with a certificate of a private authority', { skip, timeout: 120_000 }, () => {
  it('is trusted when its authority is', async (t) => {
    const { registry, pull, authority } = await setUp(t);
    const options = { insecureHttp: false, certificates: [authority] };
    using pulled = await pull(`${registry}/app`, options);
    assert.equal(pulled.manifestDigest, image.manifestDigest);
    const port = registry.replace('127.0.0.1', 'localhost');
    (await pull(`${port}/app`, options))[Symbol.dispose]();
  });

  it('is not trusted else, and nothing is tried without encryption', async (t) => {
    const { registry, pull, authority } = await setUp(t);
    await assert.rejects(
      pull(`${registry}/app`, { insecureHttp: false }),
      (error) => isUserError(error, 'REGISTRY_UNREACHABLE') && (error.hint ?? '').includes('authority'),
    );
    const elsewhere = registry.replace('127.0.0.1', '127.0.0.2');
    await assert.rejects(
      pull(`${elsewhere}/app`, { insecureHttp: false, certificates: [authority] }),
      (error) => isUserError(error, 'REGISTRY_UNREACHABLE'),
    );
  });

  it('is told from one that does not encrypt', async (t) => {
    const { pull } = await makePullPlace(t);
    const plain = await startRegistry(t);
    await assert.rejects(
      pull(`${plain}/app`, { insecureHttp: false }),
      (error) => isUserError(error, 'REGISTRY_UNREACHABLE') && (error.hint ?? '').includes('speaks HTTPS'),
    );
  });
});
