import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { Interruption } from '../interruption.ts';
import { exitStatusOf, formatError, formatJsonError } from './error.ts';
import { plainStyle, styleFor } from './style.ts';

const error = new UserError('MACHINE_DIED', 'Cannot start "demo": the machine died', {
  hint: 'banger vm logs demo',
  details: {
    operationId: 'op-1',
    stderr: 'first\r\nsecond \u001b[31mred\n',
    candidates: ['a', 'b'],
    exitCode: 3,
    empty: '',
  },
});

test('an error for a person', () => {
  assert.equal(
    formatError(error, plainStyle),
    [
      'banger: error: Cannot start "demo": the machine died [MACHINE_DIED]',
      '  stderr:',
      '    first',
      '    second ?[31mred',
      '  candidates: a, b',
      '  exitCode: 3',
      'hint: banger vm logs demo',
      '(op-1)',
      '',
    ].join('\n'),
  );
});

test('colours on a terminal only', () => {
  const coloured = formatError(new UserError('USAGE', 'x', { hint: 'y' }), styleFor({ isTTY: true }, {}));
  assert.equal(
    coloured,
    '\u001b[31mbanger: error:\u001b[39m x \u001b[2m[USAGE]\u001b[22m\n\u001b[33mhint:\u001b[39m y\n',
  );
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: '1' }), plainStyle);
  assert.equal(styleFor({ isTTY: true }, { TERM: 'dumb' }), plainStyle);
  assert.equal(styleFor({ isTTY: false }, {}), plainStyle);
  assert.notEqual(styleFor({ isTTY: true }, { NO_COLOR: '' }), plainStyle);
});

test('an error for a program', () => {
  assert.deepEqual(JSON.parse(formatJsonError(error)), {
    error: {
      code: 'MACHINE_DIED',
      message: 'Cannot start "demo": the machine died',
      hint: 'banger vm logs demo',
      operationId: 'op-1',
      details: { stderr: 'first\r\nsecond \u001b[31mred\n', candidates: ['a', 'b'], exitCode: 3, empty: '' },
    },
  });
});

test('a bug is shown with its stack and asks to be reported', () => {
  const text = formatError(new TypeError('x is not a function'), plainStyle);
  assert.match(
    text,
    /^banger: error: x is not a function \[INTERNAL\]\n  TypeError: x is not a function\n {6}at /,
  );
  assert.match(text, /hint: this is a bug in banger: please report it\n$/);
  assert.doesNotMatch(formatJsonError(new TypeError('x')), /stack|at /);
});

test('an interruption is no error', () => {
  assert.equal(formatError(new Interruption('SIGINT'), plainStyle), 'banger: interrupted\n');
});

const STATUSES: [unknown, number][] = [
  [new Error('x'), 1],
  [new UserError('INTERNAL', 'x'), 1],
  [new UserError('USAGE', 'x'), 2],
  [new UserError('INVALID_ARGUMENT', 'x'), 2],
  [new UserError('INVALID_NAME', 'x'), 2],
  [new UserError('VM_NOT_FOUND', 'x'), 3],
  [new UserError('DAEMON_VERSION_MISMATCH', 'x'), 3],
  [new UserError('DAEMON_UNREACHABLE', 'x'), 4],
  [new UserError('DAEMON_START_FAILED', 'x'), 4],
  [new Interruption('SIGINT'), 130],
  [new Interruption('SIGTERM'), 143],
];

test('exit statuses', () => {
  assert.deepEqual(
    STATUSES.map(([thrown]) => exitStatusOf(thrown)),
    STATUSES.map(([, status]) => status),
  );
});
