import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { isPassing, StatusError } from './registry-failure.ts';

function withStatus(status: number): StatusError {
  return new StatusError(
    { url: new URL('https://r.example/'), status, headers: {}, body: Readable.from([]) },
    '',
  );
}

// 52x are those of Cloudflare, in front of many registries.
for (const status of [408, 429, 500, 502, 503, 504, 507, 520, 522, 524, 599]) {
  test(`${status} may pass`, () => assert.equal(isPassing(withStatus(status)), true));
}

for (const status of [301, 400, 401, 403, 404, 416, 501, 505]) {
  test(`${status} does not pass`, () => assert.equal(isPassing(withStatus(status)), false));
}
