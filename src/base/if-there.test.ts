import assert from 'node:assert/strict';
import { open, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { ifThere } from './if-there.ts';

test('what is there, undefined for what is not, and every other error', async () => {
  assert.equal((await ifThere(stat('/')))?.isDirectory(), true);
  assert.equal(await ifThere(stat('/proc/no-such-file')), undefined);
  await assert.rejects(ifThere(open('/dev/null/below')), { code: 'ENOTDIR' });
});
