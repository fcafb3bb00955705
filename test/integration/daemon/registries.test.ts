import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import type { FakeDaemonOptions } from '../../support/fake-daemon.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { file, folder, tarOf } from '../../support/layer-tar.ts';
import { makeCertificates } from '../oci/certificates.ts';
import { startProxy } from '../oci/connect-proxy.ts';
import { push, skip, startRegistry } from '../oci/debian-registry.ts';
import { makeImage } from '../oci/tiny-image.ts';
import { ISSUER, PASSWORD, SERVICE, TokenServer } from '../oci/token-server.ts';

const image = makeImage([tarOf(folder('bin/'), file('bin/tool', 'tool', { mode: 0o755 }))]);

async function setUp(t: TestContext) {
  const home = await FakeDaemonHome.create();
  t.after(() => home[Symbol.asyncDispose]());
  const certificates = await makeCertificates(home.root);
  const authority = join(home.root, 'ca.pem');
  const pull = async (
    request: { reference: string; insecureHttp?: boolean },
    options?: FakeDaemonOptions,
  ) => {
    const client = await home.start(options);
    try {
      return await (await client.images.pull({ ...request, name: 'pulled' })).result();
    } finally {
      client.close();
    }
  };
  return { home, certificates, authority, pull };
}

describe('pulling through the daemon, as it is configured', { skip, timeout: 120_000 }, () => {
  it('takes a mirror that is trusted by an authority of its own', async (t) => {
    const { home, certificates, authority, pull } = await setUp(t);
    const mirror = await startRegistry(t, { tls: certificates });
    await push([image], `${mirror}/copies/acme/tool:1`);
    const mirrors = JSON.stringify([`registry.invalid=https://${mirror}/copies`]);
    await home.configure(
      `registry_mirrors = ${mirrors}\nregistry_certificates = ${JSON.stringify([authority])}\n`,
    );
    const { digest, source } = await pull({ reference: 'registry.invalid/acme/tool:1' });
    assert.equal(digest, image.manifestDigest);
    assert.equal(source, 'oci:registry.invalid/acme/tool:1');
  });

  it('logs in as the user did', async (t) => {
    const { home, certificates, pull } = await setUp(t);
    const realm = await new TokenServer(certificates).start(t);
    const { certificate } = certificates;
    const registry = await startRegistry(t, {
      token: { realm, service: SERVICE, issuer: ISSUER, certificate },
    });
    await push([image], `${registry}/private/tool`, { credentials: PASSWORD });
    const auth = Buffer.from(PASSWORD).toString('base64');
    await mkdir(join(home.root, '.docker'));
    await writeFile(
      join(home.root, '.docker/config.json'),
      JSON.stringify({ auths: { [registry]: { auth } } }),
    );
    const { digest } = await pull({ reference: `${registry}/private/tool`, insecureHttp: true });
    assert.equal(digest, image.manifestDigest);
  });

  it('gives a registry that asks by itself the password that is in the file for this session', async (t) => {
    const { home, pull } = await setUp(t);
    const htpasswd = join(home.root, 'htpasswd');
    // What htpasswd -B makes of the password "open-sesame".
    await writeFile(htpasswd, 'ali:$2b$04$3vfMBZsHieRAPSlW5VgECeQhuPEI6LSPAo6Vc5HysgWXWOnV6luJm\n');
    const registry = await startRegistry(t, { htpasswd });
    const reference = `${registry}/cave/tool`;
    await push([image], reference, { credentials: 'ali:open-sesame' });
    await assert.rejects(pull({ reference, insecureHttp: true }), (error) =>
      isUserError(error, 'REGISTRY_AUTH_FAILED'),
    );
    const auth = Buffer.from('ali:open-sesame').toString('base64');
    await mkdir(join(home.root, 'run/containers'));
    await writeFile(
      join(home.root, 'run/containers/auth.json'),
      JSON.stringify({ auths: { [`${registry}/cave`]: { auth } } }),
    );
    const { digest } = await pull({ reference, insecureHttp: true });
    assert.equal(digest, image.manifestDigest);
  });

  it('a VM keeps the image that it was made of, when its name goes to a newer one', async (t) => {
    const { home } = await setUp(t);
    const registry = await startRegistry(t);
    await push([image], `${registry}/tool`);
    const client = await home.start();
    t.after(() => client.close());
    const request = {
      reference: `${registry}/tool`,
      name: 'tool',
      insecureHttp: true,
      sizeBytes: 64 * 2 ** 20,
    };
    const first = await (await client.images.pull(request)).result();
    await (await client.vms.create({ name: 'user', image: 'tool', start: false })).result();
    await push([makeImage([tarOf(folder('bin/'), file('bin/tool', 'newer'))])], `${registry}/tool`);
    const second = await (await client.images.pull(request)).result();
    assert.notEqual(second.id, first.id);
    await client.images.pruneCache();
    const kept = await client.images.get(first.id);
    assert.deepEqual([kept.names, kept.vms.map(({ name }) => name)], [[], ['user']]);
    await (await client.vms.delete('user')).result();
    const counted = await client.images.pruneCache({ dryRun: true });
    assert.deepEqual(counted, { files: 1, bytes: kept.allocatedBytes });
    await client.images.pruneCache();
    await assert.rejects(client.images.get(first.id), { code: 'IMAGE_NOT_FOUND' });
    assert.equal((await client.images.get('tool')).id, second.id);
  });

  it('knows an image by every spelling of its reference', async (t) => {
    const { home } = await setUp(t);
    const registry = await startRegistry(t);
    await push([image], `${registry}/tool`);
    const client = await home.start();
    t.after(() => client.close());
    const pull = async (reference: string) =>
      (await client.images.pull({ reference, insecureHttp: true })).result();
    const [first, again] = await Promise.all([pull(`${registry}/tool`), pull(`${registry}/tool:latest`)]);
    assert.deepEqual([first.name, first.source], [`${registry}/tool`, `oci:${registry}/tool:latest`]);
    assert.equal(again.id, first.id);
    assert.equal((await pull(`${registry}/tool:latest`)).id, first.id);
    const { images } = await client.images.list();
    assert.deepEqual(
      images.map(({ name }) => name),
      [`${registry}/tool`],
    );
  });

  it('goes through the proxy of the environment that it was started in', async (t) => {
    const { home, certificates, authority, pull } = await setUp(t);
    const registry = await startRegistry(t, { tls: certificates });
    await push([image], `${registry}/tool`);
    const proxy = await startProxy(t, registry);
    await home.configure(`registry_certificates = ${JSON.stringify([authority])}\n`);
    const { digest } = await pull({ reference: 'registry.test/tool' }, { env: { HTTPS_PROXY: proxy.url } });
    assert.equal(digest, image.manifestDigest);
    assert.deepEqual([...new Set(proxy.asked)], ['registry.test:443']);
  });
});
