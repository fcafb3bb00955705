import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newVmId } from '#base/ids.ts';
import { isUserError } from '#contract/errors.ts';
import { chooseHostAddress } from './host-address.ts';

const ADDRESS = /^127\.77\.(\d+)\.(\d+)$/;

test('an id has an address of its own, the same every time', () => {
  const address = chooseHostAddress('0123456789ab', []);
  assert.match(address, ADDRESS);
  assert.equal(chooseHostAddress('0123456789ab', []), address);
  assert.notEqual(chooseHostAddress('0123456789ac', []), address);
});

test('one that is taken is passed over', () => {
  const taken = new Set<string>();
  for (let count = 0; count < 500; count += 1) {
    const address = chooseHostAddress('0123456789ab', taken);
    assert.ok(!taken.has(address));
    taken.add(address);
  }
});

test('ids spread over the network', () => {
  const addresses = new Set(Array.from({ length: 1000 }, () => chooseHostAddress(newVmId(), [])));
  assert.ok(addresses.size > 950, `${addresses.size} of 1000 differ`);
});

test('all can be given away but the first and the last, and then it is an error', () => {
  const all = new Set<string>();
  for (let high = 0; high < 256; high += 1)
    for (let low = 0; low < 256; low += 1) all.add(`127.77.${high}.${low}`);
  const usable = new Set(all);
  usable.delete('127.77.0.0');
  usable.delete('127.77.255.255');
  for (const last of ['127.77.0.1', '127.77.255.254', '127.77.128.0']) {
    const taken = new Set(usable);
    taken.delete(last);
    assert.equal(chooseHostAddress('0123456789ab', taken), last);
  }
  assert.throws(
    () => chooseHostAddress('0123456789ab', usable),
    (error) => isUserError(error, 'HOST_ADDRESSES_USED_UP'),
  );
});
