import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newVmId } from '#base/ids.ts';
import { UserError } from '#contract/errors.ts';
import {
  commandLineOf,
  findProcessesByCommandLine,
  isAlive,
  signalProcess,
  waitForProcessExit,
} from '#host/proc.ts';
import { describeNetworkDriver } from '#network/conformance.ts';
import type { NetworkAttachment, NetworkSpec } from '#network/network.ts';
import { UserNetwork } from '#network/user/user-network.ts';
import { FrameGuest } from '../../support/frame-guest.ts';
import { TcpUdpService, findOutsideAddress } from '../../support/tcp-udp-service.ts';

const PROGRAMS = join(import.meta.dirname, '../../fixtures/programs');
const guardPath = join(import.meta.dirname, '../../../native/build/net-guard');
const makeDriver = () => new UserNetwork({ guardPath });

describeNetworkDriver('UserNetwork', makeDriver);

interface Attached {
  spec: NetworkSpec;
  attachment: NetworkAttachment;
}

async function newSpec(t: TestContext, driver: UserNetwork): Promise<NetworkSpec> {
  const spec = { id: newVmId(), runtimeDir: await mkdtemp(join(tmpdir(), 'bgr-net-')) };
  t.after(async () => {
    await driver.detach(spec);
    await rm(spec.runtimeDir, { recursive: true });
  });
  return spec;
}

async function attach(t: TestContext, driver = makeDriver()): Promise<Attached> {
  const spec = await newSpec(t, driver);
  const attachment = await driver.attach(spec);
  await attachment.ready;
  return { spec, attachment };
}

/** Until packets are carried, or it fails and nothing is left. */
async function becomeReady(driver: UserNetwork, spec: NetworkSpec): Promise<void> {
  const { ready } = await driver.attach(spec);
  try {
    await ready;
  } finally {
    await driver.detach(spec);
  }
}

/** Guard and passt of one machine. */
function processesOf({ runtimeDir }: NetworkSpec) {
  return findProcessesByCommandLine((argv) => argv.includes(join(runtimeDir, 'passt.log')));
}

async function allEnded(processes: Awaited<ReturnType<typeof processesOf>>): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  await Promise.all(processes.map((identity) => waitForProcessExit(identity, { signal })));
}

test('a guest reaches the outside', async (t) => {
  const outside = findOutsideAddress();
  if (outside === undefined) return t.skip('needs a network interface besides loopback');
  const { attachment } = await attach(t);
  await using service = await TcpUdpService.listen(outside, 'OUTSIDE');
  using guest = await FrameGuest.connect(attachment.socketPath, attachment.guest);
  assert.equal(await guest.readOverTcp(outside, service.port, { timeoutMs: 5000 }), 'OUTSIDE');
  assert.equal(String(await guest.readOverUdp(outside, service.port, { timeoutMs: 5000 })), 'OUTSIDE');
});

/** Tries each destination from each source, and says where something answered. */
async function findReachable(guest: FrameGuest, port: number, destinations: string[], sources: string[]) {
  const reached: string[] = [];
  for (const source of sources) {
    for (const destination of destinations) {
      const options = { timeoutMs: 100, source };
      if (await guest.readOverTcp(destination, port, options)) reached.push(`TCP ${source} ${destination}`);
      if (await guest.readOverUdp(destination, port, options)) reached.push(`UDP ${source} ${destination}`);
    }
  }
  return reached;
}

test("a guest does not reach what listens on the host's loopback, whatever it sends", async (t) => {
  const { attachment } = await attach(t);
  await using service = await TcpUdpService.listen('127.0.0.1', 'SECRET');
  using guest = await FrameGuest.connect(attachment.socketPath, attachment.guest);
  const outside = findOutsideAddress() ?? '192.0.2.1';
  const here = ['127.0.0.1', '0.0.0.0'];
  const others = [
    '127.0.0.53',
    '10.77.0.1',
    '10.77.0.2',
    '10.77.0.3',
    '10.0.2.2',
    outside,
    '169.254.169.254',
  ];
  assert.deepEqual(await findReachable(guest, service.port, [...here, ...others], ['10.77.0.2']), []);
  assert.deepEqual(await findReachable(guest, service.port, here, ['127.0.0.1', '10.77.0.1', outside]), []);
});

test('nothing comes in: no port of the host is opened', async (t) => {
  const { spec } = await attach(t);
  const passt = (await processesOf(spec)).map(({ pid }) => pid);
  const listening = await Promise.all(passt.map((pid) => commandLineOf(pid)));
  assert.ok(listening.every((argv) => argv.join(' ').includes('--tcp-ports none --udp-ports none')));
});

test('it ends when the hypervisor leaves', async (t) => {
  const { spec, attachment } = await attach(t);
  const processes = await processesOf(spec);
  assert.equal(processes.length, 2);
  const guest = await FrameGuest.connect(attachment.socketPath, attachment.guest);
  assert.ok(await isAlive(attachment.process!));
  guest[Symbol.dispose]();
  await allEnded(processes);
});

test('the guard and passt end together, whoever is killed first', async (t) => {
  for (const victim of [0, 1]) {
    const { spec, attachment } = await attach(t);
    const processes = (await processesOf(spec)).toSorted((a, b) => a.pid - b.pid);
    using guest = await FrameGuest.connect(attachment.socketPath, attachment.guest);
    const closed = guest.closed;
    await signalProcess(processes[victim]!, 'SIGKILL');
    await allEnded(processes);
    await closed;
  }
});

test('a hypervisor that sends no frames is cut off', async (t) => {
  const { attachment } = await attach(t);
  using guest = await FrameGuest.connect(attachment.socketPath, attachment.guest);
  const closed = guest.closed;
  guest.sendRaw(Buffer.alloc(100_000, 0xff));
  await closed;
});

test('passt is not installed: the package', async (t) => {
  const driver = new UserNetwork({ guardPath, passt: 'passt-that-is-not-there' });
  const spec = await newSpec(t, driver);
  const expected = { code: 'NETWORK_TOOL_MISSING', hint: 'apt-get install passt' };
  await assert.rejects(becomeReady(driver, spec), expected);
  await assert.rejects(driver.probe(), expected);
  assert.deepEqual(await readdir(spec.runtimeDir), []);
});

test('passt dies at start: its last words', async (t) => {
  const driver = new UserNetwork({ guardPath, passt: join(PROGRAMS, 'dies-at-start') });
  const spec = await newSpec(t, driver);
  await assert.rejects(becomeReady(driver, spec), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 'NETWORK_START_FAILED');
    assert.match(String(error.details?.['stderr']), /cannot set up guest memory/);
    return true;
  });
  assert.deepEqual(await readdir(spec.runtimeDir), []);
});

test('the guard is not built', async (t) => {
  const driver = new UserNetwork({ guardPath: '/nonexistent/net-guard' });
  const spec = await newSpec(t, driver);
  await assert.rejects(driver.attach(spec), { code: 'HOST_TOOL_MISSING' });
  assert.deepEqual(await readdir(spec.runtimeDir), []);
});

test("the guest gets the host's resolvers, or the forwarder when they are on its loopback", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-resolv-'));
  t.after(() => rm(folder, { recursive: true }));
  const resolvConfPath = join(folder, 'resolv.conf');
  for (const [text, dns] of [
    ['nameserver 192.0.2.53\n', ['192.0.2.53']],
    ['nameserver 127.0.0.53\n', ['10.77.0.3']],
  ] as const) {
    await writeFile(resolvConfPath, text);
    const { attachment } = await attach(t, new UserNetwork({ guardPath, resolvConfPath }));
    assert.deepEqual(attachment.guest.dns, dns);
  }
});

test('the guest gets the resolvers of the configuration instead', async (t) => {
  const driver = new UserNetwork({ guardPath, resolvers: ['192.0.2.1', '192.0.2.2'] });
  const { attachment } = await attach(t, driver);
  assert.deepEqual(attachment.guest.dns, ['192.0.2.1', '192.0.2.2']);
  assert.match((await driver.probe()).version, /^passt (?!unknown)/);
});
