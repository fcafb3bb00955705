import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { CommandError, runCommand } from '#host/run-command.ts';
import { explainToolFailure } from './tool-failure.ts';

const step = { action: 'build the image "x"', code: 'IMAGE_BUILD_FAILED', hint: 'try again' } as const;

async function failureThatPrints(text: string): Promise<CommandError> {
  try {
    await runCommand('sh', ['-c', 'printf "%s" "$1" >&2; exit 3', 'sh', text]);
  } catch (error) {
    assert.ok(error instanceof CommandError);
    return error;
  }
  throw new Error('the command did not fail');
}

test('names the first error of the output', async () => {
  const failure = await failureThatPrints('Get:1 x\nE: Failed to fetch x.\nE: mmdebstrap failed to run\n');
  const error = explainToolFailure(failure, step);
  assert.ok(error instanceof UserError);
  assert.equal(error.code, 'IMAGE_BUILD_FAILED');
  assert.equal(error.message, 'Cannot build the image "x": Failed to fetch x');
  assert.match(String(error.details?.['output']), /mmdebstrap failed to run/);
});

test('knows a full disk from a tool', async () => {
  const error = explainToolFailure(
    await failureThatPrints('tar: x: Cannot write: No space left on device'),
    step,
  );
  assert.ok(error instanceof UserError && error.code === 'HOST_DISK_FULL');
});

test('knows a full disk from the system', () => {
  const error = explainToolFailure(Object.assign(new Error('write'), { code: 'ENOSPC' }), step);
  assert.ok(error instanceof UserError && error.code === 'HOST_DISK_FULL');
});

test('leaves bugs alone', () => {
  const bug = new TypeError('x is not a function');
  assert.equal(explainToolFailure(bug, step), bug);
});
