import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { authFilesOf } from '#oci/find-credentials.ts';
import { makeCertificates } from './certificates.ts';
import { push, skip, startRegistry } from './debian-registry.ts';
import { makePullPlace } from './pull-place.ts';
import { makeImage } from './tiny-image.ts';
import { IDENTITY_TOKEN, ISSUER, PASSWORD, SERVICE, TokenServer } from './token-server.ts';

const image = makeImage(['a layer']);
const AUTH = Buffer.from(PASSWORD).toString('base64');

/** A registry that sends everybody to a token server; it holds `public/app` and `private/app`. */
async function setUp(t: TestContext) {
  const place = await makePullPlace(t);
  const certificates = await makeCertificates(place.folder);
  const realm = await new TokenServer(certificates).start(t);
  const { certificate } = certificates;
  const registry = await startRegistry(t, {
    token: { realm, service: SERVICE, issuer: ISSUER, certificate },
  });
  for (const name of ['public/app', 'private/app']) {
    await push([image], `${registry}/${name}`, { credentials: PASSWORD });
  }
  const logIn = async (content: object) => {
    const path = authFilesOf({}, place.folder).at(-1) ?? '';
    await mkdir(join(place.folder, '.docker'), { recursive: true });
    await writeFile(path, JSON.stringify(content));
    return { authFiles: [path] };
  };
  return { ...place, registry, logIn };
}

describe('pulling where a token server decides', { skip, timeout: 120_000 }, () => {
  const ownPath = process.env['PATH'];
  before(() => assert.ok(ownPath));
  after(() => {
    process.env['PATH'] = ownPath;
  });

  it('gets a token without a login for what is public, and only for that', async (t) => {
    const { registry, pull } = await setUp(t);
    using pulled = await pull(`${registry}/public/app`);
    assert.equal(pulled.manifestDigest, image.manifestDigest);
    await assert.rejects(
      pull(`${registry}/private/app`),
      (error) =>
        isUserError(error, 'REGISTRY_AUTH_FAILED') && (error.hint ?? '').includes(`docker login ${registry}`),
    );
  });

  it('takes the login from the file that has one, the longest path first', async (t) => {
    const { registry, pull, logIn } = await setUp(t);
    const wrong = { auth: Buffer.from('eve:guess').toString('base64') };
    const auths = { [registry]: wrong, [`${registry}/private`]: { auth: AUTH } };
    const { authFiles } = await logIn({ auths });
    const missing = join(authFiles[0] ?? '', '../../none.json');
    (await pull(`${registry}/private/app`, { authFiles: [missing, ...authFiles] }))[Symbol.dispose]();
    await assert.rejects(
      pull(`${registry}/public/app`, { authFiles }),
      (error) => isUserError(error, 'REGISTRY_AUTH_FAILED') && error.message.includes('"wrong password"'),
    );
  });

  it('exchanges an identity token', async (t) => {
    const { registry, pull, logIn } = await setUp(t);
    const login = await logIn({ auths: { [registry]: { auth: '', identitytoken: IDENTITY_TOKEN } } });
    (await pull(`${registry}/private/app`, login))[Symbol.dispose]();
  });

  it('asks credential helpers, and says so when one fails', async (t) => {
    const { registry, pull, logIn, folder } = await setUp(t);
    const helper = async (name: string, script: string) => {
      await writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
      await chmod(join(folder, `docker-credential-${name}`), 0o755);
    };
    process.env['PATH'] = `${folder}:${ownPath}`;
    const [user, password] = PASSWORD.split(':');
    const answer = JSON.stringify({ ServerURL: registry, Username: user, Secret: password });
    await helper('good', `cat > ${folder}/asked; echo '${answer}'`);
    await helper('empty', 'echo "credentials not found in native keychain"; exit 1');
    await helper('broken', 'echo secret; exit 1');
    const good = await logIn({ credHelpers: { [registry]: 'good' }, credsStore: 'broken' });
    (await pull(`${registry}/private/app`, good))[Symbol.dispose]();
    assert.equal(await readFile(join(folder, 'asked'), 'utf8'), registry);
    (await pull(`${registry}/public/app`, await logIn({ credsStore: 'empty' })))[Symbol.dispose]();
    for (const [name, condition] of [
      ['broken', /the program failed$/],
      ['missing', /there is no such program$/],
      ['../evil', /this is no name of a helper$/],
    ] as const) {
      const login = await logIn({ credsStore: name });
      await assert.rejects(
        pull(`${registry}/public/app`, login),
        (error) => isUserError(error, 'REGISTRY_AUTH_FAILED') && condition.test(error.message),
      );
    }
  });
});
