import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { test } from 'node:test';
import { createMachineHome } from '../support/artifacts.ts';
import { runProcess } from '../support/run-process.ts';
import { TcpUdpService, findOutsideAddress } from '../support/tcp-udp-service.ts';

/** `fetch ADDRESS PORT` prints what the other end says first, or nothing. */
const FETCH = `fetch() { timeout 3 bash -c "exec 3<>/dev/tcp/$1/$2 && head -c 100 <&3" 2>/dev/null; echo "[$1]"; }`;

/** What root in a guest can do so that packets to 127.0.0.1 leave it. */
const SEND_LOOPBACK_OUT = [
  'sysctl -qw net.ipv4.conf.all.route_localnet=1',
  'ip route flush table local dev lo',
  'ip address flush dev lo',
  'ip route add 127.0.0.0/8 via 10.77.0.1',
];

test('a guest reaches the outside, and nothing that listens on the loopback of its host', async (t) => {
  const outside = findOutsideAddress();
  if (outside === undefined) return t.skip('needs a network interface besides loopback');
  await using home = await createMachineHome();
  await using open = await TcpUdpService.listen(outside, 'OUTSIDE');
  await using secret = await TcpUdpService.listen('127.0.0.1', 'SECRET');
  const tries = ['10.77.0.1', '10.77.0.3', '10.0.2.2', outside].map(
    (address) => `fetch ${address} ${secret.port}`,
  );
  const script = [
    FETCH,
    `fetch ${outside} ${open.port}`,
    ...tries,
    ...SEND_LOOPBACK_OUT,
    'ip route get 127.0.0.1',
    `fetch 127.0.0.1 ${secret.port}`,
    `fetch 127.0.0.53 ${secret.port}`,
    `fetch ${outside} ${open.port}`,
  ].join('\n');
  const { text } = await home.succeed(['vm', 'run', '--rm', '--', 'bash', '-c', script]);
  assert.match(
    text,
    /^127\.0\.0\.1 via 10\.77\.0\.1 dev eth0/m,
    'the guest sends packets to loopback addresses out',
  );
  assert.equal(text.match(/OUTSIDE/g)?.length, 2, text);
  assert.ok(!text.includes('SECRET'), text);
});

test('a guest resolves names as its host does', async (t) => {
  const name = await findPackageHost();
  const resolvable = name && (await lookup(name).catch(() => undefined));
  if (!name || !resolvable) return t.skip('needs a host that resolves the name of its package archive');
  await using home = await createMachineHome();
  const { text } = await home.succeed(['vm', 'run', '--rm', '--', 'getent', 'ahostsv4', name]);
  assert.match(text, /^\d+\.\d+\.\d+\.\d+ /);
});

/** A name that whoever set up this host expects it to resolve. */
async function findPackageHost(): Promise<string | undefined> {
  const { text } = await runProcess('apt-get', ['indextargets', '--format', '$(SITE)'], { env: process.env });
  return /^https?:\/\/([^/:]+)/m.exec(text)?.[1];
}
