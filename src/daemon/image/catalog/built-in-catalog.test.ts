import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_IMAGE } from '#contract/owner/vm.ts';
import { DEFAULT_KERNEL_RECIPE } from '../kernel/kernel-recipes.ts';
import { builtInCatalog } from './built-in-catalog.ts';

for (const architecture of ['x86_64', 'aarch64'] as const) {
  test(`has the defaults on ${architecture}, and each name once`, () => {
    const { images, kernels } = builtInCatalog(architecture);
    for (const [entries, name] of [
      [images, DEFAULT_IMAGE],
      [kernels, DEFAULT_KERNEL_RECIPE],
    ] as const) {
      const names = entries.map((entry) => entry.name);
      assert.equal(new Set(names).size, names.length);
      assert.ok(names.includes(name));
      assert.ok(names.includes('debian-trixie'));
    }
  });
}
