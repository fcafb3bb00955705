import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { newVmId } from '#base/ids.ts';
import { pathExists } from '#host/files.ts';
import { isAlive, signalProcess, waitForProcessExit } from '#host/proc.ts';
import type { NetworkAttachment, NetworkDriver, NetworkSpec } from './network.ts';

/** What every network driver does. */
export function describeNetworkDriver(name: string, makeDriver: () => NetworkDriver): void {
  describe(`${name} as a network driver`, () => {
    for (const [title, test] of Object.entries(NETWORK_TESTS)) {
      it(title, { timeout: 60_000 }, async () => {
        const runtimeDir = await mkdtemp(join(tmpdir(), 'bgr-net,'));
        const spec = { id: newVmId(), runtimeDir };
        const driver = makeDriver();
        try {
          await test(driver, spec);
        } finally {
          await driver.detach(spec);
          await rm(runtimeDir, { recursive: true });
        }
      });
    }
  });
}

type NetworkTest = (driver: NetworkDriver, spec: NetworkSpec) => Promise<void>;

const NETWORK_TESTS: Record<string, NetworkTest> = {
  async 'has a version'(driver) {
    assert.notEqual((await driver.probe()).version, '');
  },

  async 'tells the guest all it has to configure'(driver, spec) {
    const { guest, socketPath, ready } = await driver.attach(spec);
    const [address = '', prefix] = guest.address.split('/');
    assert.ok(isIPv4(address));
    assert.ok(Number(prefix) >= 8 && Number(prefix) <= 30);
    assert.ok(isIPv4(guest.gateway));
    assert.ok(
      guest.dns.length > 0 && guest.dns.every((server) => isIPv4(server) && !server.startsWith('127.')),
    );
    assert.ok(guest.mtu >= 1280 && guest.mtu <= 65_535);
    assert.match(guest.mac, /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
    assert.ok(socketPath.startsWith(spec.runtimeDir));
    assert.ok(await pathExists(socketPath));
    await ready;
  },

  async 'is found by another daemon'(driver, spec) {
    const attachment = await driver.attach(spec);
    assert.deepEqual(await driver.findAttachment(spec), attachment.process);
    assert.equal(await driver.findAttachment({ ...spec, runtimeDir: `${spec.runtimeDir}-other` }), undefined);
  },

  async 'lists the processes of a folder by their VMs'(driver, { id, runtimeDir }) {
    const spec = { id, runtimeDir: join(runtimeDir, id) };
    await mkdir(spec.runtimeDir, { mode: 0o700 });
    const { process } = await driver.attach(spec);
    const listed = await driver.listProcesses(runtimeDir);
    assert.ok(listed.every((one) => one.id === id));
    assert.ok(process === undefined || listed.some((one) => one.process.pid === process.pid));
    assert.deepEqual(await driver.listProcesses(dirname(runtimeDir)), []);
    await driver.detach(spec, process);
    assert.deepEqual(await driver.listProcesses(runtimeDir), []);
  },

  async 'detaches completely, and twice'(driver, spec) {
    const attachment = await driver.attach(spec);
    await driver.detach(spec, attachment.process);
    await assertNothingLeft(driver, spec, attachment);
    await driver.detach(spec, attachment.process);
    await driver.detach(spec);
  },

  async 'detaches without knowing the process'(driver, spec) {
    const attachment = await driver.attach(spec);
    await driver.detach(spec);
    await assertNothingLeft(driver, spec, attachment);
  },

  async 'detaches what was never attached'(driver, spec) {
    await driver.detach(spec);
    assert.deepEqual(await readdir(spec.runtimeDir), []);
  },

  async 'attaches again over what a killed process left'(driver, spec) {
    const first = await driver.attach(spec);
    if (first.process) {
      await signalProcess(first.process, 'SIGKILL');
      await waitForProcessExit(first.process);
    }
    const second = await driver.attach(spec);
    assert.notDeepEqual(second.process, first.process);
  },

  async 'leaves nothing when it is cancelled, whenever that is'(driver, spec) {
    for (const afterMs of [undefined, 0, 5, 15]) {
      const reason = new Error('cancelled');
      const cancelling = new AbortController();
      if (afterMs === undefined) cancelling.abort(reason);
      else setTimeout(() => cancelling.abort(reason), afterMs);
      let attachment: NetworkAttachment | undefined;
      try {
        attachment = await driver.attach(spec, { signal: cancelling.signal });
        await attachment.ready;
      } catch (error) {
        assert.equal(error, reason);
      }
      if (attachment) await driver.detach(spec);
      assert.deepEqual(await readdir(spec.runtimeDir), []);
      assert.equal(await driver.findAttachment(spec), undefined);
    }
  },
};

async function assertNothingLeft(
  driver: NetworkDriver,
  spec: NetworkSpec,
  attachment: NetworkAttachment,
): Promise<void> {
  assert.deepEqual(await readdir(spec.runtimeDir), []);
  assert.equal(await driver.findAttachment(spec), undefined);
  assert.ok(!attachment.process || !(await isAlive(attachment.process)));
}
