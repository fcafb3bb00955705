import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProcess } from '../../support/run-process.ts';

test('the frame filter of net-guard holds its checks under sanitizers', async () => {
  const folder = join(import.meta.dirname, '../../../native');
  const { status, text, stderr } = await runProcess('make', ['-C', folder, 'test'], { env: process.env });
  assert.equal(status, 0, stderr);
  assert.match(text, /all checks hold/);
});
