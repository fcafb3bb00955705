import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { QemuHypervisor, type QemuOptions } from '#hypervisor/qemu/qemu-hypervisor.ts';
import type { MachineConfig } from '#hypervisor/hypervisor.ts';
import { MachinePlace } from '../../support/machine-place.ts';

const NATIVE = join(import.meta.dirname, '../../../native/build');
const PROGRAMS = join(import.meta.dirname, '../../fixtures/programs');

interface Start extends AsyncDisposable {
  hypervisor: QemuHypervisor;
  config: MachineConfig;
}

/** A machine with something that passes for a kernel, and `program` instead of QEMU. */
async function prepare(program: string, options: Partial<QemuOptions> = {}): Promise<Start> {
  const place = await MachinePlace.create(
    new QemuHypervisor({ tscHelperPath: '', logKeeperPath: '', cacheDir: '' }),
  );
  const cacheDir = join(place.root, 'cache');
  await mkdir(cacheDir);
  const config = await place.newConfig();
  await writeFile(config.kernelPath, `${'\0'.repeat(0x202)}HdrS`);
  const hypervisor = new QemuHypervisor({
    tscHelperPath: join(NATIVE, 'tsc-khz'),
    logKeeperPath: join(NATIVE, 'log-keeper'),
    cacheDir,
    binary: program,
    ...options,
  });
  return { hypervisor, config, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

async function assertNothingLeft({ hypervisor, config }: Start): Promise<void> {
  assert.equal(await hypervisor.findMachine(config), undefined);
  assert.deepEqual(await readdir(config.runtimeDir), []);
}

test('a hypervisor that dies at start: its last words, a hint, and nothing left', async () => {
  await using start = await prepare(join(PROGRAMS, 'dies-at-start'));
  await assert.rejects(start.hypervisor.launch(start.config), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 'MACHINE_START_FAILED');
    assert.match(error.message, /cannot set up guest memory: Cannot allocate memory$/);
    assert.match(
      String(error.details?.['stderr']),
      /^qemu-system-x86_64: warning.*\n.*Cannot allocate memory$/,
    );
    assert.match(error.hint ?? '', /--memory/);
    return true;
  });
  await assertNothingLeft(start);
});

test('a hypervisor that never answers is given up and killed', async () => {
  await using start = await prepare(join(PROGRAMS, 'never-answers'), { startTimeoutMs: 200 });
  await assert.rejects(start.hypervisor.launch(start.config), {
    code: 'MACHINE_START_FAILED',
    message: `Cannot start machine "${start.config.id}": QEMU did not answer within 0.2 s`,
    hint: /banger doctor/,
  });
  await assertNothingLeft(start);
});

test('a kernel that is none or is gone: a hint, and nothing is started', async () => {
  await using start = await prepare(join(PROGRAMS, 'never-answers'));
  const expected = { code: 'MACHINE_START_FAILED', hint: /banger fsck/ };
  await writeFile(start.config.kernelPath, 'text');
  await assert.rejects(start.hypervisor.launch(start.config), expected);
  await rm(start.config.kernelPath);
  await assert.rejects(start.hypervisor.launch(start.config), expected);
  await assertNothingLeft(start);
});

test('a launch that is cancelled kills what was started', async () => {
  await using start = await prepare(join(PROGRAMS, 'never-answers'));
  const reason = new Error('cancelled');
  const cancelling = new AbortController();
  setTimeout(() => cancelling.abort(reason), 100);
  await assert.rejects(start.hypervisor.launch(start.config, { signal: cancelling.signal }), reason);
  await assertNothingLeft(start);
});

test('a hypervisor that is not installed: the package', async () => {
  await using start = await prepare('qemu-that-is-not-there');
  const expected = { code: 'HYPERVISOR_MISSING', hint: 'apt-get install qemu-system-x86' };
  await assert.rejects(start.hypervisor.launch(start.config), expected);
  await assert.rejects(start.hypervisor.probe(), expected);
  await assertNothingLeft(start);
});

test('a hypervisor that may not be executed', async () => {
  await using start = await prepare('/etc/passwd');
  await assert.rejects(start.hypervisor.launch(start.config), {
    code: 'MACHINE_START_FAILED',
    hint: /banger doctor/,
  });
  await assertNothingLeft(start);
});

test('without the figure of the clock no emulated machine is started', async () => {
  await using start = await prepare(join(PROGRAMS, 'never-answers'), {
    tscHelperPath: '/nonexistent/tsc-khz',
    kvmOverride: 'force-tcg',
  });
  await assert.rejects(start.hypervisor.launch(start.config), {
    code: 'HOST_TOOL_MISSING',
    hint: 'make -C native',
  });
});
