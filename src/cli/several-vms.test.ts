import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Vm } from '#contract/owner/vm.ts';
import { resolveTargets } from './several-vms.ts';

const vm = (id: string, name: string) => ({ id, name }) as Vm;
const VMS = [vm('aaaa', 'web'), vm('abbb', 'web-2'), vm('cccc', 'db')];

test('words become VMs once each, in first-seen order', () => {
  assert.deepEqual(resolveTargets(['db', 'web', 'cccc', 'd', 'aaa'], VMS), [
    { reference: 'cccc', name: 'db' },
    { reference: 'aaaa', name: 'web' },
  ]);
});

test('an exact name wins over those that begin with it', () => {
  assert.deepEqual(resolveTargets(['web'], VMS), [{ reference: 'aaaa', name: 'web' }]);
});

test('what means no VM, or several, is left to the daemon', () => {
  assert.deepEqual(resolveTargets(['we', 'nope', 'nope'], VMS), [
    { reference: 'we', name: 'we' },
    { reference: 'nope', name: 'nope' },
  ]);
});
