import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBuildArgs } from './build-args.ts';

test('as they are, or from the environment where that has them', () => {
  const given = ['A=1', 'B=', 'C==x y', 'HERE', 'NOWHERE'];
  assert.deepEqual(readBuildArgs(given, { HERE: 'yes' }), ['A=1', 'B=', 'C==x y', 'HERE=yes']);
});

for (const text of ['', '=x', '1A=x', 'A-B=x']) {
  test(`"${text}" is none`, () => {
    assert.throws(() => readBuildArgs([text], {}), { code: 'USAGE' });
  });
}
