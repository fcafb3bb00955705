import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { writeCpio } from '#guest/cpio.ts';
import { findProcess, isAlive } from '#host/proc.ts';
import { describeHypervisor, type HypervisorUnderTest } from '#hypervisor/conformance.ts';
import { unpackKernel } from '#hypervisor/elf-kernel.ts';
import type { MachineConfig } from '#hypervisor/hypervisor.ts';
import { QemuHypervisor } from '#hypervisor/qemu/qemu-hypervisor.ts';
import { withMachineKernel } from '../support/machine-kernel.ts';
import { MachinePlace } from '../support/machine-place.ts';

/** A kernel that finds no init panics: with this it stays in that state, as any other machine that runs. */
const STAYS = ['panic=0'];
/** And with the driver's own `panic=-1` it resets, which ends the machine. */
const ENDS: string[] = [];

let shared: string;
let kernelPath: string;

before(async () => {
  shared = await mkdtemp(join(tmpdir(), 'bgr-qemu-'));
  kernelPath = join(shared, 'vmlinuz');
  await withMachineKernel((path) => copyFile(path, kernelPath));
  await writeFile(join(shared, 'initramfs'), writeCpio([{ kind: 'folder', path: 'dev', mode: 0o755 }]));
});

after(() => rm(shared, { recursive: true, force: true }));

function driverOptions() {
  const native = join(import.meta.dirname, '../../native/build');
  return {
    tscHelperPath: join(native, 'tsc-khz'),
    logKeeperPath: join(native, 'log-keeper'),
    cacheDir: shared,
  };
}

interface QemuPlace extends HypervisorUnderTest {
  hypervisor: QemuHypervisor;
}

async function setUp(): Promise<QemuPlace> {
  const hypervisor = new QemuHypervisor(driverOptions());
  const place = await MachinePlace.create(hypervisor);
  const initramfsPath = join(shared, 'initramfs');
  return {
    hypervisor,
    newConfig: () => place.newConfig({ kernelPath, initramfsPath, commandLine: STAYS }),
    endingSoon: (config) => ({ ...config, commandLine: ENDS }),
    unstartable: (config) => ({ ...config, initramfsPath: '/nonexistent/initramfs' }),
    launchFromProcessThatDies: (config) => place.launchFromProcessThatDies('qemu', driverOptions(), config),
    anotherHypervisor: () => new QemuHypervisor(driverOptions()),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

describeHypervisor('QemuHypervisor', setUp);

async function withDisk(config: MachineConfig, name: string, readOnly = false): Promise<MachineConfig> {
  const path = join(shared, name);
  await writeFile(path, '', { flag: 'a' });
  await truncate(path, 2 ** 20);
  return { ...config, disks: [{ serial: 'data', path, format: 'raw', readOnly }] };
}

test('the guest prints to the console log', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  const config = place.endingSoon(await place.newConfig());
  await place.hypervisor.waitForExit(await place.hypervisor.launch(config));
  assert.match(await readFile(config.consoleLogPath, 'utf8'), /Kernel panic - not syncing/);
});

test('a kernel that was unpacked on the host boots', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  const image = await readFile(kernelPath);
  const unpacked = join(shared, 'vmlinux');
  await writeFile(unpacked, (await unpackKernel(image, { workFolder: shared })) ?? image);
  const config = { ...place.endingSoon(await place.newConfig()), kernelPath: unpacked };
  await place.hypervisor.waitForExit(await place.hypervisor.launch(config));
  assert.match(await readFile(config.consoleLogPath, 'utf8'), /Kernel panic - not syncing/);
});

test('a writable disk belongs to one machine at a time', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  const config = await withDisk(await place.newConfig(), 'written,disk');
  const machine = await place.hypervisor.launch(config);
  const second = await withDisk(await place.newConfig(), 'written,disk');
  await assert.rejects(place.hypervisor.launch(second), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(String(error.details?.['stderr']), /Failed to get "write" lock/);
    assert.match(error.hint ?? '', /another process uses the disk/);
    return true;
  });
  await place.hypervisor.kill(machine);
  await place.hypervisor.launch(second);
});

test('a read-only disk may be shared', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  await place.hypervisor.launch(await withDisk(await place.newConfig(), 'shared', true));
  await place.hypervisor.launch(await withDisk(await place.newConfig(), 'shared', true));
});

test('a file that is no kernel, and none at all, are named', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  const config = await place.newConfig();
  const text = join(shared, 'text');
  await writeFile(text, 'not a kernel\n');
  await assert.rejects(place.hypervisor.launch({ ...config, kernelPath: text }), {
    code: 'MACHINE_START_FAILED',
    message: `Cannot start machine "${config.id}": kernel "${text}" is not one that qemu-system-x86_64 can boot`,
  });
  await assert.rejects(place.hypervisor.launch({ ...config, kernelPath: '/nonexistent/kernel' }), {
    code: 'MACHINE_START_FAILED',
    message: `Cannot start machine "${config.id}": kernel "/nonexistent/kernel" cannot be read: ENOENT`,
  });
});

test('the machine runs confined', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  const machine = await place.hypervisor.launch(await place.newConfig());
  const status = await readFile(`/proc/${machine.process.pid}/status`, 'utf8');
  assert.match(status, /^Seccomp:\t2$/m);
});

test('an emulated machine has no huge pages, one with hardware may', { timeout: 60_000 }, async () => {
  await using place = await setUp();
  const { accelerator } = await place.hypervisor.probe();
  const machine = await place.hypervisor.launch(await place.newConfig());
  const status = await readFile(`/proc/${machine.process.pid}/status`, 'utf8');
  assert.match(status, new RegExp(`^THP_enabled:\\s${accelerator === 'tcg' ? 0 : 1}$`, 'm'));
});

test(
  'what keeps the console ends with the machine, and both know no secrets',
  { timeout: 60_000 },
  async (context) => {
    context.after(() => delete process.env['TEST_SECRET']);
    process.env['TEST_SECRET'] = 'secret';
    await using place = await setUp();
    const config = await place.newConfig();
    const machine = await place.hypervisor.launch(config);
    const keeper = await findProcess(
      Number(await readFile(join(config.runtimeDir, 'log-keeper.pid'), 'utf8')),
    );
    assert.ok(keeper && (await isAlive(keeper)));
    for (const { pid } of [machine.process, keeper]) {
      assert.doesNotMatch(await readFile(`/proc/${pid}/environ`, 'utf8'), /secret/i);
    }
    await place.hypervisor.kill(machine);
    assert.equal(await isAlive(keeper), false);
  },
);
