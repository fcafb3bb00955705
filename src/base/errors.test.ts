import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { joinErrors, messageOf, systemErrorCode } from './errors.ts';

test('messageOf has something to say of anything that was thrown', () => {
  assert.equal(messageOf(new TypeError('no')), 'no');
  assert.equal(messageOf('text'), 'text');
  assert.equal(messageOf(undefined), 'undefined');
});

test('systemErrorCode is the code of a real system error and of nothing else', () => {
  let thrown: unknown;
  try {
    readFileSync('/nowhere/at/all');
  } catch (error) {
    thrown = error;
  }
  assert.equal(systemErrorCode(thrown), 'ENOENT');
  assert.equal(systemErrorCode(new Error('plain')), undefined);
  assert.equal(systemErrorCode(Object.assign(new Error('numeric'), { code: 5 })), undefined);
  assert.equal(systemErrorCode({ code: 'ENOENT' }), undefined);
});

test('joinErrors is undefined for none, and the error itself for one', () => {
  assert.equal(joinErrors([], 'Cannot tear down'), undefined);
  const only = new Error('only');
  assert.equal(joinErrors([only], 'Cannot tear down'), only);
});

test('joinErrors keeps every error and every message', () => {
  const errors = [new Error('disk'), 'network'];
  const joined = joinErrors(errors, 'Cannot tear down');
  assert.ok(joined instanceof AggregateError);
  assert.deepEqual(joined.errors, errors);
  assert.equal(joined.message, 'Cannot tear down: disk; network');
});

test('joinErrors turns a single thrown non-error into one', () => {
  assert.equal(joinErrors(['odd'], 'Cannot tear down')?.message, 'Cannot tear down: odd');
});
