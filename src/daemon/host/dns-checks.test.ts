import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NameServerStatus } from '#dns/vm-name-server.ts';
import type { DoctorRow } from '#contract/owner/host.ts';
import { examineAll } from './check.ts';
import { dnsChecks, type DnsCheckOptions } from './dns-checks.ts';

interface Host {
  status: NameServerStatus;
  /** Whether programs ask the name server. */
  isRouted: boolean;
  lookUpHost?: DnsCheckOptions['lookUpHost'];
  resolvectl?: { dns: string; domain: string };
}

const LISTENING = { listening: true, address: '127.0.0.1', port: 42_069 } as const;

async function examine(host: Host): Promise<{ port: DoctorRow; resolver: DoctorRow; names: string[] }> {
  const served = new Map<string, string>();
  const { rows } = await examineAll(
    dnsChecks({
      names: {
        status: () => host.status,
        set: (name, address) => void served.set(`${name}.vm.`, address),
        remove: (name) => void served.delete(`${name}.vm.`),
      },
      lookUpHost:
        host.lookUpHost ??
        (async (name) => (host.isRouted ? [served.get(name)] : []).filter((found) => found !== undefined)),
      resolvectl: async (verb) => host.resolvectl?.[verb],
    }),
    {},
  );
  const [port, resolver] = rows;
  assert.ok(port?.check === 'dns-port' && resolver?.check === 'resolver' && rows.length === 2);
  return { port, resolver, names: [...served.keys()] };
}

test('a host that sends .vm to the daemon passes, whatever its resolver is, and nothing is left behind', async () => {
  const { port, resolver, names } = await examine({ status: LISTENING, isRouted: true });
  assert.deepEqual(port, {
    check: 'dns-port',
    status: 'pass',
    message: 'names of VMs are served on 127.0.0.1:42069',
  });
  assert.equal(resolver.status, 'pass');
  assert.deepEqual(names, []);
});

test('a port that is taken is a warning with the reason, the port to look at and another one', async () => {
  const status = { ...LISTENING, listening: false, reason: 'bind EADDRINUSE 127.0.0.1:42069' } as const;
  const { port, resolver } = await examine({ status, isRouted: true });
  assert.equal(port.status, 'warn');
  assert.match(port.message, /EADDRINUSE/);
  assert.match(port.hint ?? '', /port 42069.*dns_port 42070/);
  assert.equal(resolver.status, 'warn');
});

test('without systemd-resolved the warning leads to the recipes', async () => {
  const { resolver, names } = await examine({ status: LISTENING, isRouted: false });
  assert.equal(resolver.status, 'warn');
  assert.match(resolver.hint ?? '', /docs\/dns\.md.*dig @127\.0\.0\.1 -p 42069/);
  assert.deepEqual(names, []);
});

test('a resolver that never answers is one that does not find', async () => {
  const lookUpHost = async () => Promise.reject(new DOMException('too late', 'TimeoutError'));
  const { resolver, names } = await examine({ status: LISTENING, isRouted: false, lookUpHost });
  assert.equal(resolver.status, 'warn');
  assert.deepEqual(names, []);
});

const RESOLVED: { what: string; dns: string; domain: string; message: RegExp; hint: RegExp }[] = [
  {
    what: 'does not know .vm',
    dns: 'Global:\nLink 2 (eth0): 10.0.0.1 fe80::1\n',
    domain: 'Global:\nLink 2 (eth0): example.org ~vmware.com\n',
    message: /does not know \.vm/,
    hint: /DNS=127\.0\.0\.1:42069.*Domains=~vm/,
  },
  {
    what: 'sends .vm elsewhere',
    dns: 'Global: 127.0.0.1:42070\nLink 2 (eth0): 127.0.0.1:42069\n',
    domain: 'Global: ~vm\nLink 2 (eth0):\n',
    message: /sends \.vm to 127\.0\.0\.1:42070/,
    hint: /DNS=127\.0\.0\.1:42069/,
  },
  {
    what: 'sends .vm here, but nobody asks it',
    dns: 'Global: 1.1.1.1 127.0.0.1:42069\n',
    domain: 'Global: ~vm corp\n',
    message: /all the same/,
    hint: /resolv\.conf/,
  },
];

for (const { what, message, hint, ...resolvectl } of RESOLVED) {
  test(`systemd-resolved that ${what} is told apart`, async () => {
    const { resolver } = await examine({ status: LISTENING, isRouted: false, resolvectl });
    assert.equal(resolver.status, 'warn');
    assert.match(resolver.message, message);
    assert.match(resolver.hint ?? '', hint);
  });
}
