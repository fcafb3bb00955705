import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProgramMissing } from './missing-program.ts';

test('a program is missing when nothing has its name, also behind folders that may not be searched', () => {
  assert.ok(isProgramMissing('qemu-img', 'ENOENT'));
  assert.ok(isProgramMissing('/usr/bin/qemu-img', 'ENOENT'));
  assert.ok(isProgramMissing('qemu-img', 'EACCES'));
});

test('a program that is there and cannot be run is not missing', () => {
  assert.ok(!isProgramMissing('/usr/bin/qemu-img', 'EACCES'));
  assert.ok(!isProgramMissing('qemu-img', 'ENOMEM'));
  assert.ok(!isProgramMissing('qemu-img', undefined));
});
