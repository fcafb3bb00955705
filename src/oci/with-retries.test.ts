import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ConnectionError } from './connection-error.ts';
import { parseRetryAfter, StatusError } from './registry-failure.ts';
import { withRetries } from './with-retries.ts';

const patience = { attempts: 4, pauseMs: 1, maxRetryAfterMs: 1000 };

function status(code: number, retryAfter?: string): StatusError {
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return new StatusError(
    { url: new URL('https://r.example/'), status: code, headers, body: Readable.from([]) },
    '',
  );
}

function reset(code: string): ConnectionError {
  return new ConnectionError(Object.assign(new Error(code), { code }), 'r.example');
}

/** Fails with each of the given errors, then answers how often it was asked. */
function failing(...errors: Error[]): () => Promise<number> {
  let asked = 0;
  return async () => {
    const error = errors[asked];
    asked += 1;
    if (error) throw error;
    return asked;
  };
}

test('what may pass is tried again', async () => {
  assert.equal(
    await withRetries(failing(status(503), reset('ECONNRESET'), status(429, '0')), { patience }),
    4,
  );
});

test('attempts are bounded', async () => {
  const failures = Array.from({ length: 9 }, () => status(500));
  await assert.rejects(withRetries(failing(...failures), { patience }), StatusError);
});

for (const error of [
  status(404),
  status(401),
  reset('ENOTFOUND'),
  reset('CERT_HAS_EXPIRED'),
  new Error('bug'),
]) {
  test(`no use in another attempt after ${error.message}`, async () => {
    await assert.rejects(withRetries(failing(error), { patience }), error);
  });
}

test('a registry is given the pause that it asks for', async () => {
  const beganMs = performance.now();
  await withRetries(failing(status(429, '1')), { patience });
  assert.ok(performance.now() - beganMs >= 990);
});

test('a pause that is too long is a failure', async () => {
  await assert.rejects(withRetries(failing(status(429, '2')), { patience }), StatusError);
});

test('cancelling ends a pause', async () => {
  const controller = new AbortController();
  const waiting = withRetries(failing(status(429, '1')), { patience, signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});

test('Retry-After is seconds or a date', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('7', nowMs), 7000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:09 GMT', nowMs), 9000);
  assert.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', nowMs), 0);
  assert.equal(parseRetryAfter('soon', nowMs), undefined);
  assert.equal(parseRetryAfter(undefined, nowMs), undefined);
});
