import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GiB, MiB } from '#base/sizes.ts';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import type { CreateVmRequest } from '#contract/owner/vm.ts';
import { resolveVmDefaults } from '#config/vm-defaults.ts';
import { resolveDiskBytes, resolveSpec } from './vm-spec.ts';

const HOST = { cpus: 8, memoryMiB: 16_384 };

function refuses(request: CreateVmRequest, code: ErrorCode, message: RegExp): void {
  assert.throws(
    () => resolveSpec(request, HOST),
    (error) => isUserError(error, code) && message.test(error.message) && error.hint !== undefined,
    JSON.stringify(request),
  );
}

test('an empty request gets explicit values for everything', () => {
  assert.deepEqual(resolveSpec({}, HOST), {
    image: 'debian-bookworm',
    vcpus: 2,
    memoryMiB: 2048,
    network: 'user',
    autoRemove: false,
  });
});

test('what a request says is kept', () => {
  const request = { image: 'alpine', vcpus: 5, memoryMiB: 300, network: 'none', autoRemove: true } as const;
  assert.deepEqual(resolveSpec({ ...request, name: 'demo', start: false }, HOST), request);
});

test('what the configuration says counts where a request says nothing, and is checked like a request', () => {
  const configured = { image: 'alpine', vcpus: 1, memoryMiB: 256, network: 'none' } as const;
  const defaults = resolveVmDefaults(configured, HOST);
  assert.deepEqual(resolveSpec({}, HOST, defaults), { ...configured, autoRemove: false });
  assert.equal(resolveSpec({ vcpus: 7 }, HOST, defaults).vcpus, 7);
  const tooMuch = resolveVmDefaults({ memoryMiB: HOST.memoryMiB + 1 }, HOST);
  assert.throws(() => resolveSpec({}, HOST, tooMuch), { code: 'HOST_MEMORY_EXCEEDED' });
});

test('a default is never more than the host has and always something that may be asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 512 }),
      fc.integer({ min: 128, max: 4_194_304 }),
      (cpus, memoryMiB) => {
        const host = { cpus, memoryMiB };
        const spec = resolveSpec({}, host);
        assert.ok(spec.vcpus >= 1 && spec.vcpus <= cpus);
        assert.ok(spec.memoryMiB >= 128 && spec.memoryMiB <= memoryMiB);
      },
    ),
  );
});

test('vCPUs: 1 to 64, also more than the host has', () => {
  assert.equal(resolveSpec({ vcpus: 1 }, HOST).vcpus, 1);
  assert.equal(resolveSpec({ vcpus: 64 }, HOST).vcpus, 64);
  for (const vcpus of [0, -1, 65]) refuses({ vcpus }, 'INVALID_ARGUMENT', new RegExp(`${vcpus} vCPUs`));
});

test('memory: from 128 MiB to what the host has', () => {
  assert.equal(resolveSpec({ memoryMiB: 128 }, HOST).memoryMiB, 128);
  assert.equal(resolveSpec({ memoryMiB: HOST.memoryMiB }, HOST).memoryMiB, HOST.memoryMiB);
  for (const memoryMiB of [127, 0, -1]) refuses({ memoryMiB }, 'INVALID_ARGUMENT', /128 MiB or more/);
  refuses({ memoryMiB: HOST.memoryMiB + 1 }, 'HOST_MEMORY_EXCEEDED', /this host has 16384 MiB/);
});

test('a disk is refused early where no image could make it right, with a reason that is true', () => {
  resolveSpec({ diskBytes: 512 }, HOST);
  for (const diskBytes of [0, -512]) refuses({ diskBytes }, 'INVALID_ARGUMENT', /more than 0/);
  for (const diskBytes of [511, GiB + 1]) refuses({ diskBytes }, 'INVALID_ARGUMENT', /multiple of 512/);
});

test('the disk is as large as asked, or as the image when nothing is asked', () => {
  assert.equal(resolveDiskBytes(undefined, 2 * GiB), 2 * GiB);
  assert.equal(resolveDiskBytes(2 * GiB, 2 * GiB), 2 * GiB);
  assert.equal(resolveDiskBytes(100 * GiB, 2 * GiB), 100 * GiB);
});

test('a default size of the disk is never smaller than the image and never wins over a request', () => {
  assert.equal(resolveDiskBytes(undefined, 2 * GiB, 8 * GiB), 8 * GiB);
  assert.equal(resolveDiskBytes(undefined, 2 * GiB, 1 * GiB), 2 * GiB);
  assert.equal(resolveDiskBytes(3 * GiB, 2 * GiB, 8 * GiB), 3 * GiB);
});

test('a disk smaller than the image is refused, and the size in the hint is one that works', () => {
  const imageBytes = 2 * GiB + 1;
  assert.throws(
    () => resolveDiskBytes(512 * MiB, imageBytes),
    (error) => {
      assert.ok(isUserError(error, 'DISK_TOO_SMALL'));
      const hinted = Number(/--disk-size (\d+)G/.exec(error.hint ?? '')?.[1]) * GiB;
      assert.equal(resolveDiskBytes(hinted, imageBytes), hinted);
      return true;
    },
  );
});
