import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, rename, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { ApiFixture } from './api-fixture.ts';

const deadline = () => ({ signal: AbortSignal.timeout(10_000) });

describe('console logs over the API', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  let path: string;
  before(async () => {
    api = await ApiFixture.open();
    await api.runningVm('demo');
    path = api.services.vms.consoleLogPath('demo');
  });
  after(() => api[Symbol.asyncDispose]());

  it('are empty before the file is there, and told from their end', async () => {
    assert.equal(await text(await api.client.vms.logs('demo')), '');
    await writeFile(path, `${'x'.repeat(100_000)}the end\n`);
    assert.equal((await text(await api.client.vms.logs('demo'))).length, 65_536);
    assert.equal(await text(await api.client.vms.logs('demo', { tailBytes: 8 })), 'the end\n');
    assert.equal(await text(await api.client.vms.logs('demo', { tailBytes: 0 })), '');
    assert.equal((await text(await api.client.vms.logs('demo', { tailBytes: 2 ** 20 }))).length, 100_008);
  });

  it('are followed through appending, cutting and the file of the next boot', async () => {
    await writeFile(path, 'first\n');
    const log = await api.client.vms.logs('demo', { follow: true });
    const seen = collect(log);
    await seen.until('first\n');
    await appendFile(path, 'second\n');
    await seen.until('first\nsecond\n');
    await truncate(path, 0);
    await appendFile(path, '3\n');
    await seen.until('first\nsecond\n3\n');
    await writeFile(`${path}.next`, 'fourth boot\n');
    await rename(`${path}.next`, path);
    await seen.until('first\nsecond\n3\nfourth boot\n');
    log.destroy();
  });

  it('end when the VM is deleted', async () => {
    await api.runningVm('doomed');
    const log = await api.client.vms.logs('doomed', { follow: true });
    const ended = text(log);
    await (await api.client.vms.delete('doomed', { force: true })).result();
    assert.equal(await ended, '');
  });

  it('belong to a VM', async () => {
    await assert.rejects(api.client.vms.logs('nobody'), { code: 'VM_NOT_FOUND' });
  });
});

describe('slow and leaving clients', { timeout: 60_000 }, () => {
  it('do not stall others, and see the newest state at last', async () => {
    await using api = await ApiFixture.open();
    const { operations } = api.services;
    const go = Promise.withResolvers<void>();
    const { id } = operations.begin({ kind: 'vm.create' }, async (context) => {
      await go.promise;
      for (let done = 0; done < 20_000; done += 1) {
        context.progress(done, 20_000, 'items');
        context.detail('x'.repeat(200));
        if (done % 100 === 0) await new Promise(setImmediate);
      }
      return {};
    });
    const slow = connect(api.socketPath);
    slow.write(`GET /v1/operations/${id}/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    await once(slow, 'readable');
    go.resolve();
    let seen = 0;
    for await (const operation of api.client.operations.watch(id)) {
      seen += 1;
      if (operation.status !== 'running') assert.equal(operation.status, 'succeeded');
    }
    assert.ok(seen > 1);
    const told = await text(slow);
    assert.ok(told.length < 20_000 * 200, 'the slow client was told of fewer states');
    assert.match(told, /"status":"succeeded"/);
  });

  it('leave nothing behind in the middle of a stream', async () => {
    await using api = await ApiFixture.open();
    const creation = await api.client.vms.create({ name: 'stuck' });
    const leaving = new AbortController();
    const watching = (async () => {
      for await (const _ of api.client.operations.watch(creation.id, leaving));
    })();
    leaving.abort(new Error('gone'));
    await assert.rejects(watching, /gone/);
    assert.equal((await api.client.operations.get(creation.id)).status, 'running');
  });

  it('are let go when the server closes: event streams end, logs end, requests that wait are told', async () => {
    await using api = await ApiFixture.open();
    await api.runningVm('demo');
    const log = text(await api.client.vms.logs('demo', { follow: true }));
    const waiting = api.client.vms.wait('demo', { for: 'stopped' });
    waiting.catch(() => {});
    await pollUntil(async () => ((await api.client.vms.list()).length === 1 ? true : undefined), deadline());
    const begin = performance.now();
    await api.server.close();
    assert.ok(performance.now() - begin < 1000);
    assert.equal(await log, '');
    await assert.rejects(waiting, { code: 'DAEMON_STOPPING' });
  });

  it('that neither read nor leave are cut when the server closes', async () => {
    await using api = await ApiFixture.open();
    await api.runningVm('demo');
    await writeFile(api.services.vms.consoleLogPath('demo'), Buffer.alloc(8 * 2 ** 20, 'x'));
    const stalled = connect(api.socketPath);
    stalled.on('error', () => {});
    stalled.write('GET /v1/vms/demo/logs?tailBytes=16777216 HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(stalled, 'readable');
    const begin = performance.now();
    await api.server.close();
    assert.ok(performance.now() - begin < 4000);
    stalled.destroy();
  });
});

function collect(stream: Readable) {
  let seen = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    seen += chunk;
  });
  const until = (wanted: string) => pollUntil(() => (seen === wanted ? true : undefined), deadline());
  return { until };
}
