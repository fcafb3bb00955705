import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { describeChange } from './describe-change.ts';

const record = vmRecord();

test('beginning and end', () => {
  assert.deepEqual(describeChange({ after: vmRecord({ state: 'creating' }) }), [
    { kind: 'created', detail: { state: 'creating' } },
  ]);
  assert.deepEqual(describeChange({ before: record }), [{ kind: 'removed', detail: {} }]);
  assert.deepEqual(describeChange({}), []);
});

test('a state with the reason, when that is new', () => {
  const lastError = { code: 'MACHINE_DIED', message: 'Cannot start' };
  const starting = vmRecord({ state: 'starting' });
  const broken = vmRecord({ state: 'error', lastError });
  const detail = { state: 'error', previousState: 'starting' } as const;
  assert.deepEqual(describeChange({ before: starting, after: broken }), [
    { kind: 'state', detail: { ...detail, error: lastError } },
  ]);
  assert.deepEqual(describeChange({ before: { ...starting, lastError: { ...lastError } }, after: broken }), [
    { kind: 'state', detail },
  ]);
});

test('another name and another shape, in one change', () => {
  const after = vmRecord({ name: 'other', spec: { ...record.spec, vcpus: 4, autoStopAfterMs: 0 } });
  assert.deepEqual(describeChange({ before: record, after }), [
    { kind: 'renamed', detail: { previousName: 'demo' } },
    { kind: 'changed', detail: { changed: ['vcpus', 'autoStopAfterMs'] } },
  ]);
  const port = { hostAddress: '127.0.0.1', hostPort: 8080, guestPort: 80, protocol: 'tcp' } as const;
  assert.deepEqual(describeChange({ before: record, after: vmRecord({ published: [port] }) }), [
    { kind: 'changed', detail: { changed: ['published'] } },
  ]);
});

test('use and addresses are not worth telling', () => {
  const used = vmRecord({ touchedAtMs: 1, hostAddress: '127.77.0.2', startedAtMs: 2, stoppedAtMs: 3 });
  assert.deepEqual(describeChange({ before: record, after: used }), []);
});
