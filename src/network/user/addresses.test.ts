import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GATEWAY_MAC, guestMac } from './addresses.ts';

test('a card has an address of its own, locally administered, for one machine only', () => {
  assert.equal(guestMac('0123456789ab'), '52:54:00:01:23:45');
  for (const mac of [guestMac('ffeeddccbbaa'), GATEWAY_MAC]) {
    assert.equal(Number.parseInt(mac.slice(0, 2), 16) & 0b11, 0b10);
  }
});
