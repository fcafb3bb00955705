import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatService } from './service-text.ts';

test('one that runs', () => {
  assert.equal(formatService({ state: 'running', pid: 312, starts: 1 }), 'running, pid 312');
});

test('one that keeps ending', () => {
  const text = formatService({ state: 'backoff', starts: 3, restartInMs: 400, lastExit: { exitCode: 1 } });
  assert.equal(
    text,
    'backoff, starts again in 400 ms, started 3 times, the last time it ended with status 1',
  );
});

test('one that was ended', () => {
  const text = formatService({ state: 'exited', starts: 1, lastExit: { signal: 9 } });
  assert.equal(text, 'exited, the last time it was ended by signal 9');
});

test('one that could not be executed says why', () => {
  const failure = { code: 'NOT_FOUND', message: 'Cannot run "serve"' };
  assert.equal(formatService({ state: 'failed', starts: 0, failure }), 'failed, Cannot run "serve"');
});
