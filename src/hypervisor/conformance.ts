import assert from 'node:assert/strict';
import { mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { isUserError, UserError } from '#contract/errors.ts';
import { pathExists } from '#host/files.ts';
import { findProcess, isAlive } from '#host/proc.ts';
import type { Hypervisor, Machine, MachineConfig } from './hypervisor.ts';

/** One hypervisor and the place where its machines live. Disposing it ends what still runs. */
export interface HypervisorUnderTest extends AsyncDisposable {
  hypervisor: Hypervisor;
  /** A machine that runs until it is killed; another id and other folders each time. */
  newConfig(): Promise<MachineConfig>;
  /** The same machine, but it ends by itself soon after its start. */
  endingSoon(config: MachineConfig): MachineConfig;
  /** The same machine, but it cannot be started. */
  unstartable(config: MachineConfig): MachineConfig;
  /** Launches it from a process that is killed with SIGKILL right afterwards. */
  launchFromProcessThatDies(config: MachineConfig): Promise<Machine>;
  /** The driver as another daemon would have it. */
  anotherHypervisor(): Hypervisor;
}

const TEST_TIMEOUT_MS = 60_000;

/** What every hypervisor does. */
export function describeHypervisor(name: string, setUp: () => Promise<HypervisorUnderTest>): void {
  describe(`${name} as a hypervisor`, () => {
    for (const [title, test] of Object.entries(HYPERVISOR_TESTS)) {
      it(title, { timeout: TEST_TIMEOUT_MS }, async () => {
        await using place = await setUp();
        await test(place);
      });
    }
  });
}

type HypervisorTest = (place: HypervisorUnderTest) => Promise<void>;

const HYPERVISOR_TESTS: Record<string, HypervisorTest> = {
  async 'says what the host can do'({ hypervisor }) {
    const { version, accelerator, reason } = await hypervisor.probe();
    assert.notEqual(version, '');
    assert.match(accelerator, /^(kvm|tcg)$/);
    assert.notEqual(reason, '');
  },

  async 'runs a machine whose guest can be reached'({ hypervisor, newConfig }) {
    const config = await newConfig();
    const machine = await hypervisor.launch(config);
    assert.equal(await hypervisor.status(machine), 'running');
    assert.ok(await isAlive(machine.process));
    const socket = connect(machine.guestSocketPath);
    await once(socket, 'connect');
    socket.destroy();
    assert.ok(machine.guestSocketPath.startsWith(config.runtimeDir));
    assert.equal((await stat(config.consoleLogPath)).mode & 0o077, 0);
  },

  async 'pauses and resumes, also twice'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    for (const [act, status] of [
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'running'],
      ['resume', 'running'],
    ] as const) {
      await hypervisor[act](machine);
      assert.equal(await hypervisor.status(machine), status);
    }
  },

  async 'kills a paused machine'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    await hypervisor.pause(machine);
    await hypervisor.kill(machine);
    assert.equal(await hypervisor.status(machine), 'gone');
  },

  async 'says that a machine that is gone cannot be paused or resumed'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    await hypervisor.kill(machine);
    await assert.rejects(hypervisor.pause(machine), (error) => isUserError(error, 'MACHINE_DIED'));
    await assert.rejects(hypervisor.resume(machine), (error) => isUserError(error, 'MACHINE_DIED'));
  },

  async 'makes a disk of a machine that runs larger, never smaller'({ hypervisor, newConfig }) {
    const config = await withDisk(await newConfig());
    const machine = await hypervisor.launch(config);
    const resize = (serial: string, mebibytes: number) =>
      hypervisor.resizeDisk(machine, { serial, sizeBytes: mebibytes * MiB });
    await resize('data', 3);
    assert.equal((await stat(diskPathOf(config))).size, 3 * MiB);
    await resize('data', 3);
    await assert.rejects(resize('data', 2), (error) => isUserError(error, 'DISK_TOO_SMALL'));
    await assert.rejects(resize('other', 9), (error) => isUserError(error, 'INVALID_ARGUMENT'));
    assert.equal((await stat(diskPathOf(config))).size, 3 * MiB);
    await hypervisor.kill(machine);
    await assert.rejects(resize('data', 9), (error) => isUserError(error, 'MACHINE_DIED'));
  },

  async 'finds a machine by its VM and its folder only'({ hypervisor, newConfig, anotherHypervisor }) {
    const [config, other] = [await newConfig(), await newConfig()];
    const machine = await hypervisor.launch(config);
    assert.deepEqual(await anotherHypervisor().findMachine(config), machine);
    assert.equal(await hypervisor.findMachine(other), undefined);
    assert.equal(await hypervisor.findMachine({ id: config.id, runtimeDir: other.runtimeDir }), undefined);
    assert.equal(await hypervisor.findMachine({ id: other.id, runtimeDir: config.runtimeDir }), undefined);
    await hypervisor.kill(machine);
    assert.equal(await hypervisor.findMachine(config), undefined);
  },

  async 'lists the machines of a folder by their VMs'({ hypervisor, newConfig, anotherHypervisor }) {
    const config = inFolderOfItsOwn(await newConfig());
    await mkdir(config.runtimeDir, { recursive: true, mode: 0o700 });
    const folder = dirname(config.runtimeDir);
    assert.deepEqual(await hypervisor.listMachines(folder), []);
    const machine = await hypervisor.launch(config);
    try {
      assert.deepEqual(await anotherHypervisor().listMachines(folder), [{ id: config.id, ...machine }]);
      assert.deepEqual(await hypervisor.listMachines(dirname(folder)), []);
    } finally {
      await hypervisor.kill(machine);
    }
    assert.deepEqual(await hypervisor.listMachines(folder), []);
  },

  async 'kills at once, and twice'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    await hypervisor.kill(machine);
    assert.equal(await findLiving(machine), undefined);
    assert.equal(await hypervisor.status(machine), 'gone');
    await hypervisor.kill(machine);
  },

  async 'never touches another process that got the same pid'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    const { pid, startTicks } = machine.process;
    const former: Machine = { ...machine, process: { pid, startTicks: startTicks - 1 } };
    assert.equal(await hypervisor.status(former), 'gone');
    await hypervisor.waitForExit(former);
    await hypervisor.kill(former);
    assert.equal(await hypervisor.status(machine), 'running');
  },

  async 'tells all who wait when a machine ends, and answers others meanwhile'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    const waiting = [hypervisor.waitForExit(machine), hypervisor.waitForExit(machine)];
    assert.equal(await hypervisor.status(machine), 'running');
    await hypervisor.kill(machine);
    await Promise.all(waiting);
    await hypervisor.waitForExit(machine);
  },

  async 'notices a machine that ends by itself'({ hypervisor, newConfig, endingSoon }) {
    const machine = await hypervisor.launch(endingSoon(await newConfig()));
    await hypervisor.waitForExit(machine);
    assert.equal(await hypervisor.status(machine), 'gone');
  },

  async 'stops waiting when told so'({ hypervisor, newConfig }) {
    const machine = await hypervisor.launch(await newConfig());
    const reason = new Error('enough');
    const waiting = new AbortController();
    const given = hypervisor.waitForExit(machine, { signal: waiting.signal });
    waiting.abort(reason);
    await assert.rejects(given, reason);
    await assert.rejects(hypervisor.waitForExit(machine, { signal: waiting.signal }), reason);
    assert.equal(await hypervisor.status(machine), 'running');
  },

  async 'cleans up twice and keeps the console'({ hypervisor, newConfig }) {
    const config = await newConfig();
    await hypervisor.kill(await hypervisor.launch(config));
    await hypervisor.cleanUp(config);
    await hypervisor.cleanUp(config);
    assert.deepEqual(await readdir(config.runtimeDir), []);
    assert.ok(await pathExists(config.consoleLogPath));
    assert.equal(await hypervisor.diagnostics(config), '');
  },

  async 'starts again in the same place, also over what a killed machine left'({ hypervisor, newConfig }) {
    const config = await newConfig();
    const first = await hypervisor.launch(config);
    await hypervisor.kill(first);
    const second = await hypervisor.launch(config);
    assert.equal(await hypervisor.status(first), 'gone');
    assert.equal(await hypervisor.status(second), 'running');
  },

  async 'leaves nothing when a machine cannot be started, and says why'(place) {
    const config = place.unstartable(await place.newConfig());
    await assert.rejects(place.hypervisor.launch(config), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'MACHINE_START_FAILED');
      assert.ok(error.message.startsWith(`Cannot start machine "${config.id}": `), error.message);
      assert.notEqual(error.details?.['stderr'], '');
      return true;
    });
    await assertNothingLeft(place, config);
  },

  async 'leaves nothing when a launch is cancelled, whenever that is'(place) {
    for (const afterMs of [undefined, 0, 20, 60]) {
      const config = await place.newConfig();
      const reason = new Error('cancelled');
      const signal = afterMs === undefined ? AbortSignal.abort(reason) : abortAfter(afterMs, reason);
      try {
        await place.hypervisor.kill(await place.hypervisor.launch(config, { signal }));
        await place.hypervisor.cleanUp(config);
      } catch (error) {
        assert.equal(error, reason);
      }
      await assertNothingLeft(place, config);
    }
  },

  async 'keeps a machine when the process that launched it is killed'(place) {
    const config = await place.newConfig();
    const machine = await place.launchFromProcessThatDies(config);
    const { hypervisor } = place;
    assert.equal(await hypervisor.status(machine), 'running');
    assert.deepEqual(await hypervisor.findMachine(config), machine);
    await hypervisor.pause(machine);
    await hypervisor.resume(machine);
    const exit = hypervisor.waitForExit(machine);
    await hypervisor.kill(machine);
    await exit;
  },
};

async function assertNothingLeft({ hypervisor }: HypervisorUnderTest, config: MachineConfig): Promise<void> {
  assert.equal(await hypervisor.findMachine(config), undefined);
  assert.deepEqual(await readdir(config.runtimeDir), []);
}

async function findLiving({ process }: Machine): Promise<number | undefined> {
  return (await isAlive(process)) ? (await findProcess(process.pid))?.pid : undefined;
}

function abortAfter(afterMs: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), afterMs);
  return controller.signal;
}

/** With a raw disk of one MiB. */
async function withDisk(config: MachineConfig): Promise<MachineConfig> {
  await writeFile(diskPathOf(config), '');
  await truncate(diskPathOf(config), MiB);
  const disk = { serial: 'data', path: diskPathOf(config), format: 'raw', readOnly: false } as const;
  return { ...config, disks: [disk] };
}

function diskPathOf(config: MachineConfig): string {
  return join(dirname(config.consoleLogPath), 'data.raw');
}

/** The same machine where the daemon would have it: the folder is named by the VM. */
function inFolderOfItsOwn(config: MachineConfig): MachineConfig {
  return { ...config, runtimeDir: join(config.runtimeDir, config.id) };
}
