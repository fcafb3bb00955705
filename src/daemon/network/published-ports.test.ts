import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import type { PublishedPort } from '#contract/owner/vm.ts';
import { arePortsInConflict, formatHostPort, refuseConflict } from './published-ports.ts';

function port(differences: Partial<PublishedPort> = {}): PublishedPort {
  return { hostAddress: '127.0.0.1', hostPort: 8080, guestPort: 80, protocol: 'tcp', ...differences };
}

const PAIRS: [what: string, other: Partial<PublishedPort>, conflict: boolean][] = [
  ['the same port', {}, true],
  ['the same for another port of the guest', { guestPort: 81 }, true],
  ['another port', { hostPort: 8081 }, false],
  ['another protocol', { protocol: 'udp' }, false],
  ['another address', { hostAddress: '127.0.0.2' }, false],
  ['all addresses', { hostAddress: '0.0.0.0' }, true],
];

for (const [what, other, conflict] of PAIRS) {
  test(`${what} is ${conflict ? 'taken' : 'free'}`, () => {
    assert.equal(arePortsInConflict(port(), port(other)), conflict);
    assert.equal(arePortsInConflict(port(other), port()), conflict);
  });
}

test('who has it is named, with the way to get it', () => {
  const publishers = [
    { id: '1', name: 'idle', published: [] },
    { id: '2', name: 'dns', published: [port({ hostPort: 53, protocol: 'udp' })] },
  ];
  refuseConflict(port(), publishers, 'publish port 80 of "web"');
  assert.throws(
    () => refuseConflict(port({ hostPort: 53, protocol: 'udp' }), publishers, 'publish port 53 of "web"'),
    (error) => {
      assert.ok(isUserError(error, 'PORT_TAKEN'));
      assert.match(error.message, /^Cannot publish port 53 of "web": port 127\.0\.0\.1:53\/udp .* by "dns"$/);
      assert.match(error.hint ?? '', /banger vm unpublish dns 53\/udp/);
      return true;
    },
  );
});

test('a port is written with its address, and its protocol unless it is TCP', () => {
  assert.equal(formatHostPort(port()), '127.0.0.1:8080');
  assert.equal(formatHostPort(port({ protocol: 'udp' })), '127.0.0.1:8080/udp');
});
