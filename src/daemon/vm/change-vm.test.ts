import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { GiB } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import type { SetVmRequest } from '#contract/owner/vm.ts';
import { openDatabase } from '#store/database.ts';
import { VmRepository, type VmRecord } from '#store/vm-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import type { OperationContext } from '../operation/operations.ts';
import { Capabilities } from './capabilities.ts';
import { changeVm, type ChangeParts } from './change-vm.ts';
import { VmRegistry } from './vm-registry.ts';

const HOST = { cpus: 8, memoryMiB: 16_384 };
const ID = vmRecord().id;

let registry: VmRegistry;
let diary: string[];
/** What the guest says when it is to take another name. */
let renameError: Error | undefined;
let growError: Error | undefined;
let applyError: Error | undefined;

beforeEach(() => {
  registry = new VmRegistry(new VmRepository(openDatabase(':memory:')));
  diary = [];
  renameError = undefined;
  growError = undefined;
  applyError = undefined;
});

function parts(): ChangeParts {
  const grow = (where: string) => async (_: VmRecord, sizeBytes: number) => {
    diary.push(`${where} disk ${sizeBytes / GiB}G`);
    if (growError) throw growError;
  };
  const rename = async (_: string, name: string) => {
    diary.push(`guest is called ${name}`);
    if (renameError) throw renameError;
  };
  const names = {
    name: 'names',
    async applyChange(before: VmRecord, after: VmRecord) {
      diary.push(`${before.name} becomes ${after.name}`);
      if (applyError && after.name !== 'demo') throw applyError;
    },
  };
  return {
    registry,
    capabilities: new Capabilities([names]),
    running: { growDisk: grow('running'), rename },
    stopped: { growDisk: grow('stopped') },
    host: HOST,
    failpoint() {},
  };
}

function change(request: SetVmRequest): Promise<VmRecord> {
  const context: OperationContext = {
    id: 'op',
    signal: new AbortController().signal,
    log: silentLogger,
    stage() {},
    detail() {},
    progress() {},
    subject() {},
  };
  return changeVm(parts(), { id: ID, request }, context);
}

test('a capability that refuses takes the change back', async () => {
  registry.add(vmRecord());
  applyError = new UserError('VM_NAME_TAKEN', 'the name server has it');
  await assert.rejects(change({ name: 'web', vcpus: 3 }), { code: 'VM_NAME_TAKEN' });
  assert.deepEqual(registry.get(ID), vmRecord());
  assert.deepEqual(diary, ['demo becomes web', 'web becomes demo']);
});

test('only what is named changes', async () => {
  registry.add(vmRecord());
  const after = await change({ vcpus: 4, autoStopAfterMs: 60_000 });
  assert.deepEqual(after, vmRecord({ spec: { ...vmRecord().spec, vcpus: 4, autoStopAfterMs: 60_000 } }));
  assert.deepEqual(registry.get(ID), after);
});

test('null takes an auto-stop of its own away', async () => {
  registry.add(vmRecord({ spec: { ...vmRecord().spec, autoStopAfterMs: 1 } }));
  assert.equal('autoStopAfterMs' in (await change({ autoStopAfterMs: null })).spec, false);
});

test('the disk of a VM that is off grows in its file, of one that runs in its machine', async () => {
  registry.add(vmRecord());
  await change({ diskBytes: 16 * GiB });
  registry.transition(ID, 'starting');
  registry.transition(ID, 'running');
  await change({ diskBytes: 32 * GiB });
  assert.deepEqual(
    diary.filter((line) => line.includes('disk')),
    ['stopped disk 16G', 'running disk 32G'],
  );
  assert.equal(registry.get(ID).spec.diskBytes, 32 * GiB);
});

test('a disk that cannot grow leaves the record as it was', async () => {
  registry.add(vmRecord());
  growError = new UserError('HOST_DISK_FULL', 'full');
  await assert.rejects(change({ diskBytes: 16 * GiB, vcpus: 3 }), { code: 'HOST_DISK_FULL' });
  assert.deepEqual(registry.get(ID), vmRecord());
});

const REFUSED: readonly [string, SetVmRequest, string][] = [
  ['a smaller disk', { diskBytes: 4 * GiB }, 'DISK_TOO_SMALL'],
  ['a disk of an odd size', { diskBytes: 8 * GiB + 1 }, 'INVALID_ARGUMENT'],
  ['no vCPU', { vcpus: 0 }, 'INVALID_ARGUMENT'],
  ['more memory than the host has', { memoryMiB: HOST.memoryMiB + 1 }, 'HOST_MEMORY_EXCEEDED'],
  ['a name that is none', { name: 'Not A Label' }, 'INVALID_NAME'],
  ['a name that is taken', { name: 'other', diskBytes: 16 * GiB }, 'VM_NAME_TAKEN'],
];

for (const [what, request, code] of REFUSED) {
  test(`${what} is refused, and nothing is touched`, async () => {
    registry.add(vmRecord());
    registry.add(vmRecord({ id: 'ffffffffffff', name: 'other' }));
    await assert.rejects(change(request), { code });
    assert.deepEqual(registry.get(ID), vmRecord());
    assert.deepEqual(diary, []);
  });
}

test('a guest that runs is told its new name, and one that does not listen keeps the VM from nothing', async () => {
  registry.add(vmRecord({ state: 'running' }));
  await change({ name: 'web' });
  renameError = new UserError('GUEST_NOT_ANSWERING', 'hangs');
  await change({ name: 'db' });
  assert.deepEqual(diary, [
    'demo becomes web',
    'guest is called web',
    'web becomes db',
    'guest is called db',
  ]);
  assert.equal(registry.get(ID).name, 'db');
});
