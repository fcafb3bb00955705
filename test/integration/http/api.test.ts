import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { errorBodySchema } from '#contract/owner/error.ts';
import { operationSchema } from '#contract/owner/operation.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { ApiFixture } from './api-fixture.ts';
import { type RawAnswer, type RawRequest, rawRequest } from './raw-request.ts';

describe('the HTTP API', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open();
  });
  after(() => api[Symbol.asyncDispose]());

  const ask = (path: string, options: Omit<RawRequest, 'socketPath' | 'path'> = {}): Promise<RawAnswer> =>
    rawRequest({ socketPath: api.socketPath, path, ...options });
  const errorOf = ({ body }: RawAnswer) => errorBodySchema.parse(JSON.parse(body)).error;
  const json = { 'content-type': 'application/json' };

  it('serves a client that names no build, and names its own', async () => {
    const answer = await ask('/v1/host');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers[BUILD_HEADER], buildLabel());
    assert.equal((JSON.parse(answer.body) as { pid: number }).pid, process.pid);
  });

  it('refuses a client of another build, but for the host and the stop', async () => {
    const headers = { [BUILD_HEADER]: '9.9.9 (else)' };
    for (const path of ['/v1/vms', '/v1/nowhere']) {
      const answer = await ask(path, { headers });
      assert.equal(answer.status, 409);
      assert.equal(errorOf(answer).code, 'DAEMON_VERSION_MISMATCH');
    }
    assert.equal((await ask('/v1/host', { headers })).status, 200);
    assert.equal((await ask('/v1/daemon/stop', { method: 'POST', headers })).status, 202);
    assert.equal(api.services.shutdownRequested, true);
  });

  it('refuses an upgrade by another build', async () => {
    const headers = { [BUILD_HEADER]: '9.9.9 (else)', connection: 'upgrade', upgrade: 'banger-exec' };
    const answer = await ask('/v1/vms/demo/exec', { headers });
    assert.equal(answer.status, 409);
    assert.equal(answer.headers[BUILD_HEADER], buildLabel());
    assert.equal(errorOf(answer).code, 'DAEMON_VERSION_MISMATCH');
  });

  it('refuses other upgrades in words', async () => {
    const websocket = { connection: 'upgrade', upgrade: 'websocket' };
    assert.match(errorOf(await ask('/v1/vms/demo/exec', { headers: websocket })).message, /"banger-exec"/);
    assert.equal(errorOf(await ask('/v1/vms', { headers: websocket })).code, 'ROUTE_NOT_FOUND');
    assert.equal(
      errorOf(await ask('/v1/vms/%zz/exec', { headers: { ...websocket, upgrade: 'banger-exec' } })).code,
      'INVALID_ARGUMENT',
    );
    assert.equal(errorOf(await ask('/v1/vms/demo/exec')).code, 'INVALID_ARGUMENT');
  });

  it('answers a mutation with 202 and the operation', async () => {
    const answer = await ask('/v1/vms', { method: 'POST', headers: json, body: '{"name":"posted"}' });
    assert.equal(answer.status, 202);
    const operation = operationSchema.parse(JSON.parse(answer.body));
    assert.deepEqual([operation.kind, operation.vm?.name], ['vm.create', 'posted']);
  });

  it('takes a missing body for an empty one', async () => {
    const vm = await api.runningVm('bodiless');
    for (const headers of [{}, json]) {
      const answer = await ask(`/v1/vms/${vm.id}/stop`, { method: 'POST', headers });
      assert.equal(answer.status, 202, answer.body);
    }
  });

  it('names the field that is wrong', async () => {
    const refused = async (body: string) =>
      errorOf(await ask('/v1/vms', { method: 'POST', headers: json, body }));
    assert.deepEqual(await refused('{"memoryMiB":"much"}'), {
      code: 'INVALID_ARGUMENT',
      message: 'Cannot accept the request: body "memoryMiB": expected number, received string',
      details: {
        part: 'body',
        issues: [{ field: 'memoryMiB', message: 'expected number, received string' }],
      },
    });
    assert.match((await refused('{"memory":1}')).message, /Unrecognized key: "memory"/);
    assert.equal((await refused('{"memory":')).code, 'INVALID_ARGUMENT');
    assert.equal((await refused('[]')).code, 'INVALID_ARGUMENT');
    const query = errorOf(await ask('/v1/vms/x/wait?timeoutMs=soon'));
    assert.match(query.message, /^Cannot accept the request: query "timeoutMs"/);
  });

  it('refuses a body that is no JSON or too large', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const refused = errorOf(await ask('/v1/vms', { method: 'POST', headers: form, body: '{}' }));
    assert.deepEqual(
      [refused.code, refused.hint],
      ['INVALID_ARGUMENT', 'send "content-type: application/json"'],
    );
    const body = JSON.stringify({ name: 'x'.repeat(2 ** 20) });
    const large = await ask('/v1/vms', { method: 'POST', headers: json, body });
    assert.deepEqual([large.status, errorOf(large).code], [413, 'REQUEST_TOO_LARGE']);
  });

  it('answers what it does not know', async () => {
    for (const path of ['/', '/v1', '/v2/vms', `/v1/vms/${'x'.repeat(5000)}`, '/v1/vms/%E0%A4%A']) {
      const answer = await ask(path);
      assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
      assert.ok(['ROUTE_NOT_FOUND', 'INVALID_ARGUMENT'].includes(errorOf(answer).code));
      assert.equal(answer.headers[BUILD_HEADER], buildLabel());
    }
  });

  it('answers bytes that are not HTTP', async () => {
    const socket = connect(api.socketPath);
    socket.write('nonsense\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1\.1 400 .*"INVALID_ARGUMENT"/s);
  });

  it('tells of a bug only where to find it', async () => {
    api.services.images.list = async () => {
      throw new TypeError('secret detail');
    };
    const answer = await ask('/v1/images');
    assert.equal(answer.status, 500);
    assert.equal(errorOf(answer).code, 'INTERNAL');
    assert.match(errorOf(answer).message, /request req-/);
    assert.doesNotMatch(answer.body, /secret/);
  });

  it('serves the committed OpenAPI document', async () => {
    const answer = await ask('/v1/openapi.json');
    assert.equal(answer.status, 200);
    assert.equal((JSON.parse(answer.body) as { openapi: string }).openapi, '3.1.0');
  });

  it('answers a hundred requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask('/v1/vms')));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  });

  it('goes on while a client sends half a request', async () => {
    const socket = connect(api.socketPath);
    await once(socket, 'connect');
    socket.write(
      'POST /v1/vms HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    assert.equal((await ask('/v1/vms')).status, 200);
    socket.destroy();
  });
});
