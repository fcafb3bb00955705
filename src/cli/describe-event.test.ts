import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VmEvent } from '#contract/owner/event.ts';
import { describeEvent } from './describe-event.ts';

const SEEN = { seq: 1, at: '2026-01-02T03:04:05.678Z', vm: { id: 'a', name: 'demo' } };

const LINES: [Omit<VmEvent, keyof typeof SEEN>, string][] = [
  [{ kind: 'created', state: 'creating' }, 'created'],
  [{ kind: 'state', state: 'running', previousState: 'starting' }, 'running, was starting'],
  [{ kind: 'renamed', previousName: 'old' }, 'renamed, was old'],
  [{ kind: 'changed', changed: ['vcpus', 'memoryMiB'] }, 'changed: vcpus, memoryMiB'],
  [{ kind: 'removed' }, 'removed'],
  [{ kind: 'stale', idleMs: 7_200_000 }, 'nobody used it for 2h: stopping it'],
  [
    {
      kind: 'state',
      state: 'error',
      previousState: 'starting',
      error: { code: 'MACHINE_DIED', message: 'Cannot start:\n\u001b[31mred' },
    },
    'error, was starting: Cannot start: ?[31mred [MACHINE_DIED]',
  ],
];

for (const [event, line] of LINES) {
  test(`an event in one line: ${event.kind} ${event.state ?? ''}`, () => {
    assert.equal(describeEvent({ ...SEEN, ...event }), `2026-01-02T03:04:05.678Z  demo  ${line}`);
  });
}
