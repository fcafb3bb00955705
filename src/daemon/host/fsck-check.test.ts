import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '#contract/owner/fsck.ts';
import { examineAll } from './check.ts';
import { fsckCheck } from './fsck-check.ts';

async function rowFor(...severities: Finding['severity'][]) {
  const findings = severities.map((severity): Finding => ({ kind: 'orphan', severity, reason: 'why' }));
  const { rows } = await examineAll([fsckCheck({ check: async () => ({ findings }) })], {});
  return [rows[0]?.status, rows[0]?.message];
}

test('damage fails, leftovers warn, what is only worth knowing passes', async () => {
  assert.deepEqual(await rowFor(), ['pass', 'everything is as the store says']);
  assert.deepEqual(await rowFor('info'), ['pass', 'everything is as the store says']);
  assert.deepEqual(await rowFor('leftover', 'info', 'leftover'), ['warn', '2 left over']);
  assert.deepEqual(await rowFor('leftover', 'damage'), ['fail', '1 damaged, 1 left over']);
});
