import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkPaths } from './network-paths.ts';
import { passtArguments } from './passt-arguments.ts';

const paths = networkPaths('/run/vm/a');

test('passt carries outbound IPv4 and nothing else', () => {
  assert.equal(
    passtArguments(paths, ['10.77.0.3']).join(' '),
    '--foreground --log-file /run/vm/a/passt.log --ipv4-only --interface lo ' +
      '--address 10.77.0.2 --netmask 24 --gateway 10.77.0.1 --mac-addr 52:55:0a:4d:00:01 --mtu 65520 ' +
      '--no-map-gw --dns-forward 10.77.0.3 --no-dhcp --no-ndp --no-dhcpv6 --no-ra --tcp-ports none --udp-ports none',
  );
});

test('it forwards no queries when the guest asks the resolvers themselves', () => {
  assert.ok(!passtArguments(paths, ['192.0.2.53']).includes('--dns-forward'));
});
