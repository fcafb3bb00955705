import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containedArguments } from './containment.ts';

test('words of the command stay words: the shell sees only fixed text', () => {
  for (const containment of ['root', 'user-namespace', 'none'] as const) {
    const args = containedArguments(containment, ['touch', '/a b', '$(reboot)']);
    assert.deepEqual(args.slice(-3), ['touch', '/a b', '$(reboot)']);
    assert.ok(!args[args.indexOf('-c') + 1]?.includes('reboot'));
  }
});

test('every kind ends with the process that started it', () => {
  for (const containment of ['root', 'user-namespace', 'none'] as const) {
    assert.equal(containedArguments(containment, ['true'])[0], '--pdeathsig');
  }
  assert.ok(containedArguments('user-namespace', ['true']).includes('--kill-child'));
});
