import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUserError, type UserError } from '#contract/errors.ts';
import { findVmByReference } from './find-vm.ts';

const web = { id: 'aaaa00000000', name: 'web' };
const webTest = { id: 'aaab00000000', name: 'web-test' };
const database = { id: 'bbbb00000000', name: 'database' };
const vms = [webTest, web, database];

function refusalOf(reference: string, among: readonly { id: string; name: string }[] = vms): UserError {
  try {
    findVmByReference(among, reference);
  } catch (error) {
    if (isUserError(error)) return error;
    throw error;
  }
  return assert.fail(`"${reference}" was found`);
}

test('a VM is found by its whole id and by its whole name', () => {
  for (const vm of vms) {
    assert.equal(findVmByReference(vms, vm.id), vm);
    assert.equal(findVmByReference(vms, vm.name), vm);
  }
});

test('a whole name wins over longer names that begin with it', () => {
  assert.equal(findVmByReference(vms, 'web'), web);
});

test('a prefix that fits one VM is enough, of its id or of its name', () => {
  assert.equal(findVmByReference(vms, 'web-'), webTest);
  assert.equal(findVmByReference(vms, 'aaab'), webTest);
  assert.equal(findVmByReference(vms, 'd'), database);
});

test('one VM whose id and name both begin so is one VM', () => {
  const both = { id: 'cafe00000000', name: 'cafeteria' };
  assert.equal(findVmByReference([both, web], 'cafe'), both);
});

test('a prefix that fits several is refused, with all of them', () => {
  const refusal = refusalOf('we');
  assert.equal(refusal.code, 'VM_REFERENCE_AMBIGUOUS');
  assert.deepEqual(refusal.details, { candidates: ['web-test (aaab00000000)', 'web (aaaa00000000)'] });
  assert.match(refusal.message, /web-test \(aaab00000000\), web \(aaaa00000000\)/);
});

test('the id of one and the name of another may be meant by one prefix', () => {
  const named = { id: '111111111111', name: 'aaaab' };
  assert.equal(refusalOf('aaaa', [web, named]).code, 'VM_REFERENCE_AMBIGUOUS');
});

test('where the name of one is the id of another, the id is meant', () => {
  const impostor = { id: '222222222222', name: web.id };
  assert.equal(findVmByReference([impostor, web], web.id), web);
});

test('what fits nothing is not found: no substring, no other case, no pattern', () => {
  for (const reference of ['eb', 'WEB', 'web*', '.', ' web']) {
    assert.equal(refusalOf(reference).code, 'VM_NOT_FOUND', reference);
  }
  assert.equal(refusalOf('web', []).code, 'VM_NOT_FOUND');
});

test('an empty reference is a mistake of the caller even when there is only one VM', () => {
  assert.equal(refusalOf('', [web]).code, 'USAGE');
});

test('what is found always fits, and an exact match is always found', () => {
  const vm = fc.record({ id: fc.stringMatching(/^[ab]{3}$/), name: fc.stringMatching(/^[ab]{1,4}$/) });
  const reference = fc.stringMatching(/^[ab]{1,4}$/);
  fc.assert(
    fc.property(fc.uniqueArray(vm, { selector: ({ id }) => id, maxLength: 6 }), reference, (among, text) => {
      const fits = among.filter(({ id, name }) => id.startsWith(text) || name.startsWith(text));
      const exact = among.some(({ id, name }) => id === text || name === text);
      if (exact || fits.length === 1) assert.ok(fits.includes(findVmByReference(among, text)));
      else
        assert.equal(
          refusalOf(text, among).code,
          fits.length === 0 ? 'VM_NOT_FOUND' : 'VM_REFERENCE_AMBIGUOUS',
        );
    }),
  );
});
