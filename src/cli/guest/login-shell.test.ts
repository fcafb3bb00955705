import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { explainShell } from './login-shell.ts';

const failure = (message: string, errno: number) =>
  new UserError('COMMAND_NOT_FOUND', `Cannot run "/bin/sh": ${message}`, {
    details: { guestCode: 'NOT_FOUND', errno },
  });

test('a VM without a shell is said to have none', () => {
  const explained = explainShell(failure('No such file or directory', 2), 'demo') as UserError;
  assert.equal(explained.code, 'SHELL_NOT_FOUND');
  assert.match(explained.hint ?? '', /banger vm exec demo -- /);
});

test('what else is missing is told as it is', () => {
  for (const error of [
    failure('There is no such user: "nobody"', 0),
    failure('Cannot enter folder "/srv": No such file or directory', 2),
    new UserError('COMMAND_NOT_EXECUTABLE', 'Cannot run "/bin/sh"', { details: { errno: 13 } }),
    new Error('a bug'),
  ]) {
    assert.equal(explainShell(error, 'demo'), error);
  }
});
