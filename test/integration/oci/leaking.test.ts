import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import { makePullPlace } from './pull-place.ts';
import { ScriptedRegistry } from './scripted-registry.ts';
import { makeImage } from './tiny-image.ts';

const image = makeImage(['the only layer']);
const [layerDigest = ''] = image.layerDigests;
const BASIC = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

type Answer = Parameters<ScriptedRegistry['script']>[1];

/** A registry that asks for a login, one on another port that should not learn it, and the login. */
async function setUp(t: TestContext) {
  const registry = await ScriptedRegistry.start(t, image);
  const other = await ScriptedRegistry.start(t, image);
  const { folder, pull } = await makePullPlace(t);
  const file = join(folder, 'config.json');
  const auth = BASIC.slice('Basic '.length);
  await writeFile(file, JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const pullApp = () => pull(`${registry.host}/app`, { authFiles: [file] });
  const refuses = (code: ErrorCode, condition: RegExp) =>
    assert.rejects(pullApp(), (error) => {
      assert.ok(isUserError(error, code), String((error as Error).stack));
      assert.match(error.message, condition);
      return true;
    });
  return { registry, other, pullApp, refuses };
}

function send(response: Answer, content: Buffer | string | undefined): true {
  response.end(content);
  return true;
}

function challenge(response: Answer, header: string): true {
  response.writeHead(401, { 'www-authenticate': header }).end();
  return true;
}

function redirect(response: Answer, location: string): true {
  response.writeHead(307, { location }).end();
  return true;
}

describe('credentials and other servers', { timeout: 60_000 }, () => {
  it('a redirect to another server drops them, also when it leads back', async (t) => {
    const { registry, other, pullApp } = await setUp(t);
    registry.script = (request, response) => {
      if (request.url === '/back') return send(response, image.layers[0]);
      if (request.headers.authorization !== BASIC) return challenge(response, 'Basic realm="x"');
      const isLayer = request.url?.endsWith(layerDigest) ?? false;
      return isLayer && redirect(response, `http://${other.host}/elsewhere`);
    };
    other.script = (_, response) => redirect(response, `http://${registry.host}/back`);
    (await pullApp())[Symbol.dispose]();
    assert.deepEqual(
      other.asked.map(({ path, authorization }) => [path, authorization]),
      [['/elsewhere', undefined]],
    );
    const back = registry.asked.find(({ path }) => path === '/back');
    assert.ok(back && back.authorization === undefined);
    assert.ok(registry.asked.some(({ authorization }) => authorization === BASIC));
  });

  it('a server that was redirected to cannot ask for them', async (t) => {
    const { registry, other, refuses } = await setUp(t);
    registry.script = (_, response) => redirect(response, `http://${other.host}/elsewhere`);
    other.script = (request, response) =>
      request.url?.startsWith('/token')
        ? send(response, '{"token":"tok"}')
        : challenge(response, `Bearer realm="http://${other.host}/token"`);
    await refuses('REGISTRY_AUTH_FAILED', /answered 401/);
    assert.deepEqual(
      other.asked.map(({ path, authorization }) => [path, authorization]),
      [['/elsewhere', undefined]],
    );
  });

  it('a mirror does not get those of the registry', async (t) => {
    const { registry, other } = await setUp(t);
    const { folder, pull } = await makePullPlace(t);
    const file = join(folder, 'config.json');
    await writeFile(file, JSON.stringify({ auths: { [registry.host]: { auth: BASIC.slice(6) } } }));
    other.script = (_, response) => challenge(response, 'Basic realm="x"');
    const mirrors = { [registry.host]: [`http://${other.host}`] };
    (await pull(`${registry.host}/app`, { mirrors, authFiles: [file] }))[Symbol.dispose]();
    assert.ok(
      other.asked.length > 0 && other.asked.every(({ authorization }) => authorization === undefined),
    );
  });

  it('a token service elsewhere gets them, because the registry that they are for named it', async (t) => {
    const { registry, other, pullApp } = await setUp(t);
    registry.script = (request, response) =>
      request.headers.authorization !== 'Bearer tok' &&
      challenge(response, `Bearer realm="http://${other.host}/t?a=b"`);
    other.script = (request, response) => {
      assert.equal(request.url, '/t?a=b&scope=repository%3Aapp%3Apull');
      response.end('{"token":"tok"}');
      return true;
    };
    (await pullApp())[Symbol.dispose]();
    assert.equal(other.asked[0]?.authorization, BASIC);
  });

  for (const realm of [
    'http://example.com/t',
    'http://10.0.0.1/t',
    'file:///etc/passwd',
    'https://u:p@h/',
    'nonsense',
  ]) {
    it(`a token service at ${realm} is refused`, async (t) => {
      const { registry, refuses } = await setUp(t);
      registry.script = (_, response) => challenge(response, `Bearer realm="${realm}"`);
      await refuses('REGISTRY_AUTH_FAILED', /is not encrypted$/);
    });
  }

  const TOKENS: [string, string, RegExp][] = [
    ['too much', JSON.stringify({ token: 'x'.repeat(70_000) }), /more than 65536 bytes/],
    ['no JSON', '<html>', /no JSON/],
    ['no token', '{}', /no usable token/],
    ['a token that ends the header', String.raw`{"token":"a\r\nx-evil: 1"}`, /no usable token/],
  ];
  for (const [name, answer, condition] of TOKENS) {
    it(`a token service that sends ${name} is refused`, async (t) => {
      const { registry, other, refuses } = await setUp(t);
      registry.script = (_, response) => challenge(response, `Bearer realm="http://${other.host}/t"`);
      other.script = (_, response) => send(response, answer);
      await refuses('REGISTRY_AUTH_FAILED', condition);
    });
  }

  it('a registry that is never content is asked twice, not for ever', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.script = (_, response) => challenge(response, 'Basic realm="x"');
    await refuses('REGISTRY_AUTH_FAILED', /answered 401/);
    assert.equal(registry.asked.length, 2);
  });
});

describe('redirects', { timeout: 60_000 }, () => {
  it('in a circle end', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.script = (request, response) => redirect(response, request.url ?? '');
    await refuses('IMAGE_PULL_FAILED', /redirects more than 10 times/);
    assert.equal(registry.asked.length, 11);
  });

  for (const target of [
    'http://example.com/x',
    'http://192.168.0.1/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
  ]) {
    it(`to ${target} are refused`, async (t) => {
      const { registry, refuses } = await setUp(t);
      registry.script = (_, response) => redirect(response, target);
      await refuses('IMAGE_PULL_FAILED', /is not encrypted/);
    });
  }

  it('to a URL with a password are refused', async (t) => {
    const { registry, refuses } = await setUp(t);
    registry.script = (_, response) => redirect(response, `http://a:b@${registry.host}/`);
    await refuses('IMAGE_PULL_FAILED', /a URL with a password/);
  });
});
