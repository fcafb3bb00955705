import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathVariable } from './environment.ts';

test('a variable counts when it holds an absolute path', () => {
  const environment = {
    SET: '/srv/state//',
    RELATIVE: 'state',
    EMPTY: '',
    DOTTED: './state',
    GONE: undefined,
  };
  assert.equal(pathVariable(environment, 'SET'), '/srv/state');
  for (const name of ['RELATIVE', 'EMPTY', 'DOTTED', 'GONE', 'MISSING']) {
    assert.equal(pathVariable(environment, name), undefined, name);
  }
});
