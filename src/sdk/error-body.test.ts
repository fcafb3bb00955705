import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseErrorBody } from './error-body.ts';

it('keeps code, message, hint, details and the operation', () => {
  const error = parseErrorBody(
    {
      error: {
        code: 'VM_NOT_FOUND',
        message: 'no',
        hint: 'banger list',
        details: { a: 1 },
        operationId: 'op-1',
        news: true,
      },
    },
    'Cannot ask',
  );
  assert.deepEqual(
    { code: error.code, message: error.message, hint: error.hint, details: error.details },
    { code: 'VM_NOT_FOUND', message: 'no', hint: 'banger list', details: { a: 1, operationId: 'op-1' } },
  );
});

it('reads the code of a newer daemon as INTERNAL and keeps it', () => {
  const error = parseErrorBody({ error: { code: 'MOON_PHASE', message: 'wrong moon' } }, 'Cannot ask');
  assert.deepEqual(
    [error.code, error.message, error.details],
    ['INTERNAL', 'wrong moon', { code: 'MOON_PHASE' }],
  );
});

it('survives whatever else is there', () => {
  for (const body of [
    undefined,
    null,
    'text',
    [],
    {},
    { error: null },
    { error: { code: 1, message: 'x' } },
  ]) {
    assert.equal(parseErrorBody(body, 'Cannot ask').code, 'INTERNAL');
  }
});
