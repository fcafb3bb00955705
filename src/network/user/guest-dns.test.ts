import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseGuestDns } from './guest-dns.ts';

const FORWARDED = ['10.77.0.3'];

for (const [title, text, dns] of [
  [
    'resolvers of the network are handed on',
    'search lan\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n',
    ['192.0.2.1', '192.0.2.2'],
  ],
  [
    "systemd-resolved's stub is forwarded",
    '# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\n',
    FORWARDED,
  ],
  [
    'a resolver on loopback is left out beside others',
    'nameserver 127.0.0.1\nnameserver\t192.0.2.1\n',
    ['192.0.2.1'],
  ],
  ['no file and no entry mean the resolver on this host', '', FORWARDED],
  [
    'IPv6 resolvers cannot be reached over IPv4',
    'nameserver fe80::1%eth0\nnameserver 192.0.2.1\n',
    ['192.0.2.1'],
  ],
  [
    'comments and garbage are not entries',
    '#nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver banana\n',
    FORWARDED,
  ],
  [
    'at most three count',
    [1, 2, 3, 4].map((n) => `nameserver 192.0.2.${n}`).join('\n'),
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  ],
] as const) {
  test(title, () => {
    assert.deepEqual(chooseGuestDns(text), dns);
  });
}
