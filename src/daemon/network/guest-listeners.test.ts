import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListeningPort } from '#contract/guest/port-messages.ts';
import { groupListeners, targetOf } from './guest-listeners.ts';

function tcp(address: string, port: number, rest: Partial<ListeningPort> = {}): ListeningPort {
  return { protocol: 'tcp', address, port, inode: port, ...rest };
}

test('sockets of one port are one listener, whose owner is any that is known', () => {
  const [web, ssh, dns] = groupListeners([
    tcp('::', 80, { inode: 2, pid: 7, processName: 'nginx' }),
    tcp('0.0.0.0', 80, { inode: 1 }),
    tcp('0.0.0.0', 80, { inode: 3 }),
    tcp('0.0.0.0', 443),
    { protocol: 'udp', address: '127.0.0.1', port: 5353, inode: 9 },
  ]);
  assert.deepEqual(web, {
    protocol: 'tcp',
    port: 80,
    addresses: ['0.0.0.0', '::'],
    inodes: [2, 1, 3],
    pid: 7,
    processName: 'nginx',
  });
  assert.equal(ssh?.port, 443);
  assert.deepEqual([dns?.protocol, dns?.pid], ['udp', undefined]);
});

test('IPv4 inside IPv6 is IPv4', () => {
  assert.deepEqual(groupListeners([tcp('::ffff:7f00:1', 80)])[0]?.addresses, ['127.0.0.1']);
  assert.deepEqual(groupListeners([tcp('::ffff:10.77.0.2', 80)])[0]?.addresses, ['10.77.0.2']);
});

const TARGETS: [addresses: string[], hosts: string[] | undefined][] = [
  [['0.0.0.0'], ['127.0.0.1']],
  [['::'], ['127.0.0.1', '::1']],
  [
    ['0.0.0.0', '::'],
    ['127.0.0.1', '::1'],
  ],
  [['127.0.0.1'], ['127.0.0.1']],
  [['::1'], ['::1']],
  [['10.77.0.2'], ['10.77.0.2']],
  [
    ['10.77.0.2', '127.0.0.1'],
    ['127.0.0.1', '10.77.0.2'],
  ],
  [['127.0.0.53'], undefined],
  [['127.0.0.53', '127.0.0.54'], undefined],
  [['fe80::1'], undefined],
];

for (const [addresses, hosts] of TARGETS) {
  test(`who listens on ${addresses.join(' and ')} is reached at ${hosts?.join(', then ') ?? 'nothing'}`, () => {
    const [listener] = groupListeners(addresses.map((address) => tcp(address, 80)));
    assert.ok(listener);
    assert.deepEqual(targetOf(listener)?.hosts, hosts);
  });
}
