import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kernel } from '#contract/owner/kernel.ts';
import { findKernelByReference } from './find-kernel.ts';

const kernel = (id: string, name: string, recipe?: string): Kernel => ({
  id,
  name,
  release: '6.1',
  architecture: 'x86_64',
  source: 'test',
  ...(recipe === undefined ? {} : { recipe }),
  isDefault: false,
  allocatedBytes: 1,
  createdAt: new Date(0).toISOString(),
});
const kernels = [
  kernel('aaa1', 'debian-6.1.2', 'debian-bookworm'),
  kernel('aaa2', 'debian-6.1.1', 'debian-bookworm'),
  kernel('bbb1', 'mine'),
];
const recipes = [{ name: 'debian-bookworm' }, { name: 'debian-trixie' }];
const find = (reference: string): string => findKernelByReference(kernels, recipes, reference).id;

test('by id, by name, by entry of the catalog, by a prefix of one', () => {
  assert.deepEqual(['aaa2', 'debian-6.1.1', 'debian-bookworm', 'b', 'debian-6.1.2'].map(find), [
    'aaa2',
    'aaa2',
    'aaa1',
    'bbb1',
    'aaa1',
  ]);
});

test('what could be several is said with them', () => {
  assert.throws(() => find('debian-6'), {
    code: 'INVALID_ARGUMENT',
    details: { candidates: ['debian-6.1.2 (aaa1)', 'debian-6.1.1 (aaa2)'] },
  });
});

test('what is not here comes with the next step', () => {
  assert.throws(() => find('debian-trixie'), {
    code: 'KERNEL_NOT_FOUND',
    hint: 'banger kernel pull debian-trixie',
  });
  assert.throws(() => find('mone'), { code: 'KERNEL_NOT_FOUND', hint: /did you mean "mine"/ });
  assert.throws(() => find(''), { code: 'KERNEL_NOT_FOUND' });
});
