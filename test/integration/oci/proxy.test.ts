import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { proxyOf } from '#oci/proxy.ts';
import { makeCertificates } from './certificates.ts';
import { startProxy } from './connect-proxy.ts';
import { push, skip, startRegistry } from './debian-registry.ts';
import { makePullPlace } from './pull-place.ts';
import { makeImage } from './tiny-image.ts';

const image = makeImage(['a layer']);

/** A registry that is called registry.test behind a proxy, and nowhere else. */
async function setUp(t: TestContext, password?: string) {
  const place = await makePullPlace(t);
  const certificates = await makeCertificates(place.folder);
  const registry = await startRegistry(t, { tls: certificates });
  await push([image], `${registry}/app`);
  const proxy = await startProxy(t, registry, password);
  const options = { insecureHttp: false, certificates: [certificates.authority] };
  const pull = (reference: string, environment: Record<string, string>) =>
    place.pull(reference, { ...options, proxy: proxyOf(environment) });
  return { pull, proxy, registry };
}

describe('pulling through a proxy', { skip, timeout: 120_000 }, () => {
  it('asks it for the registry, and encrypts all the way', async (t) => {
    const { pull, proxy } = await setUp(t);
    using pulled = await pull('registry.test/app', { HTTPS_PROXY: proxy.url });
    assert.equal(pulled.manifestDigest, image.manifestDigest);
    assert.deepEqual([...new Set(proxy.asked)], ['registry.test:443']);
  });

  it('gives it the password that stands in its URL, and says when it refuses', async (t) => {
    const { pull, proxy } = await setUp(t, 'ada:secret');
    const withPassword = proxy.url.replace('//', '//ada:secret@');
    (await pull('registry.test/app', { https_proxy: withPassword }))[Symbol.dispose]();
    await assert.rejects(
      pull('registry.test/app', { https_proxy: proxy.url }),
      (error) => isUserError(error, 'REGISTRY_UNREACHABLE') && error.message.includes('407'),
    );
  });

  it('goes around it to this machine and to what NO_PROXY names', async (t) => {
    const { pull, proxy, registry } = await setUp(t);
    (await pull(`${registry}/app`, { HTTPS_PROXY: proxy.url }))[Symbol.dispose]();
    const environment = { HTTPS_PROXY: proxy.url, NO_PROXY: '.test' };
    await assert.rejects(pull('registry.test/app', environment), (error) =>
      isUserError(error, 'REGISTRY_UNREACHABLE'),
    );
    assert.deepEqual(proxy.asked, []);
  });
});
