import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode } from 'dns-packet';
import { pollUntil } from '#base/backoff.ts';
import type { DoctorRow } from '#contract/owner/host.ts';
import type { BangerClient } from '#sdk/index.ts';
import { askUdp } from '../../support/dns-udp-client.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { findFreeUdpPort } from '../../support/free-port.ts';

interface Place extends AsyncDisposable {
  port: number;
  home: FakeDaemonHome;
  /** Addresses of a name, or the response code. */
  ask(name: string): Promise<string>;
}

async function setUp(): Promise<Place> {
  const port = await findFreeUdpPort();
  const home = await FakeDaemonHome.create();
  await home.configure(`dns_port = ${port}\n`);
  return {
    port,
    home,
    async ask(name) {
      const { addresses, rcode } = await askUdp(port, encode({ questions: [{ name, type: 'A' }] }));
      return addresses.length > 0 ? addresses.join(' ') : rcode;
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

async function run(client: BangerClient, name: string): Promise<string> {
  await (await client.vms.create({ name })).result();
  const { hostAddress } = await client.vms.get(name);
  assert.match(hostAddress ?? 'none', /^127\.77\.\d+\.\d+$/);
  return hostAddress ?? 'none';
}

async function doctorRow(client: BangerClient, check: string): Promise<DoctorRow> {
  const { rows } = await client.doctor();
  return rows.find((row) => row.check === check) ?? assert.fail(`no row "${check}"`);
}

describe('the name of a VM', () => {
  it('is there while the VM runs', async () => {
    await using place = await setUp();
    using client = await place.home.start();
    assert.equal(await place.ask('demo.vm'), 'NXDOMAIN');
    const address = await run(client, 'demo');
    const other = await run(client, 'other');
    assert.notEqual(address, other);
    assert.equal(await place.ask('demo.vm'), address);
    assert.equal(await place.ask('www.other.vm'), other);
    await (await client.vms.stop('demo')).result();
    assert.equal(await place.ask('demo.vm'), 'NXDOMAIN');
    await (await client.vms.start('demo')).result();
    assert.equal(await place.ask('demo.vm'), address, 'the address stays with the VM');
    await (await client.vms.delete('demo', { force: true })).result();
    assert.equal(await place.ask('demo.vm'), 'NXDOMAIN');
    assert.equal(await place.ask('other.vm'), other);
  });

  it('goes when the machine dies by itself', async () => {
    await using place = await setUp();
    using client = await place.home.start();
    const address = await run(client, 'demo');
    assert.equal(await place.ask('demo.vm'), address);
    const { pid } = await client.vms.get('demo');
    process.kill(pid ?? assert.fail('it has no process'), 'SIGKILL');
    await pollUntil(async () => ((await place.ask('demo.vm')) === 'NXDOMAIN' ? true : undefined), {
      signal: AbortSignal.timeout(10_000),
    });
  });

  it('is there again when a killed daemon was started anew', async () => {
    await using place = await setUp();
    using client = await place.home.start();
    const address = await run(client, 'demo');
    await run(client, 'stopped');
    await (await client.vms.stop('stopped')).result();
    await place.home.killDaemon();
    using _again = await place.home.start();
    assert.equal(await place.ask('demo.vm'), address, 'as soon as the daemon answers');
    assert.equal(await place.ask('stopped.vm'), 'NXDOMAIN');
  });

  it('follows a new one', async () => {
    await using place = await setUp();
    using client = await place.home.start();
    const address = await run(client, 'demo');
    await (await client.vms.set('demo', { name: 'shop' })).result();
    assert.equal(await place.ask('shop.vm'), address);
    assert.equal(await place.ask('demo.vm'), 'NXDOMAIN');
  });

  it('does without where another daemon has the port', async () => {
    await using first = await setUp();
    using one = await first.home.start();
    const address = await run(one, 'demo');
    await using second = await setUp();
    await second.home.configure(`dns_port = ${first.port}\n`);
    using two = await second.home.start();
    await run(two, 'other');
    assert.equal(await first.ask('demo.vm'), address);
    assert.equal(await first.ask('other.vm'), 'NXDOMAIN');
    assert.equal((await doctorRow(one, 'dns-port')).status, 'pass');
    const row = await doctorRow(two, 'dns-port');
    assert.equal(row.status, 'warn');
    assert.match(row.message, /EADDRINUSE/);
    assert.equal((await doctorRow(two, 'resolver')).status, 'warn');
  });
});
