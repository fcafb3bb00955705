import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FindingKind } from '#contract/owner/fsck.ts';
import { vmStateSchema } from '#contract/owner/vm.ts';
import type { Machine } from '#hypervisor/hypervisor.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import type { ObservedVm } from './observed.ts';
import { planVm } from './plan-vm.ts';
import { VM_REPAIRS } from './repairs.ts';

const ID = vmRecord().id;
const OTHER = { pid: 9, startTicks: 9 };

function machine(pid: number): Machine {
  return { process: { pid, startTicks: pid }, guestSocketPath: '/run/agent', controlSocketPath: '/run/qmp' };
}

/** A stopped VM in order. */
function stopped(differences: Partial<ObservedVm> = {}): ObservedVm {
  return {
    id: ID,
    isBusy: false,
    record: vmRecord(),
    damagedRow: undefined,
    machines: [],
    networkProcesses: [],
    folder: { path: '/vms/x', names: ['root.qcow2', 'console.log'] },
    runtimeFolder: { path: '/run/x', names: undefined },
    disk: { state: 'good' },
    handles: { file: 'missing', machine: undefined, networkEnded: false },
    ...differences,
  };
}

/** A running VM in order. */
function running(differences: Partial<ObservedVm> = {}): ObservedVm {
  return stopped({
    record: vmRecord({ state: 'running' }),
    machines: [machine(5)],
    networkProcesses: [OTHER],
    folder: { path: '/vms/x', names: ['root.qcow2', 'handles.json'] },
    runtimeFolder: { path: '/run/x', names: ['agent.sock'] },
    handles: { file: 'read', machine: machine(5).process, networkEnded: false },
    ...differences,
  });
}

const damagedRow = { id: ID, name: 'demo', why: 'spec: Invalid input', row: {} };
const gone = { path: '/gone', names: undefined };

const CASES: [string, ObservedVm, FindingKind[]][] = [
  ['a stopped VM in order', stopped(), []],
  ['a running VM in order', running(), []],
  ['a machine of a stopped VM', stopped({ machines: [machine(5)] }), ['machine-without-vm']],
  [
    'all that a killed daemon can leave of a stopped VM',
    stopped({
      machines: [machine(5)],
      networkProcesses: [OTHER],
      runtimeFolder: { path: '/run/x', names: [] },
      handles: { file: 'read', machine: OTHER, networkEnded: false },
    }),
    ['machine-without-vm', 'network-without-machine', 'runtime-folder-left', 'handles-wrong'],
  ],
  [
    'an id without a row',
    stopped({ record: undefined, machines: [machine(5)] }),
    ['machine-without-vm', 'folder-without-row'],
  ],
  [
    'a process alone',
    stopped({ record: undefined, networkProcesses: [OTHER], folder: gone }),
    ['network-without-machine'],
  ],
  ['a second machine', running({ machines: [machine(5), machine(6)] }), ['second-machine']],
  ['no machine', running({ machines: [] }), ['running-without-machine']],
  [
    'handles lost',
    running({ handles: { file: 'missing', machine: undefined, networkEnded: false } }),
    ['handles-wrong'],
  ],
  [
    'handles cut off',
    running({ handles: { file: 'unreadable', machine: undefined, networkEnded: false } }),
    ['handles-wrong'],
  ],
  [
    'handles of another process',
    running({ handles: { file: 'read', machine: OTHER, networkEnded: false } }),
    ['handles-wrong'],
  ],
  [
    'network ended',
    running({ handles: { file: 'read', machine: machine(5).process, networkEnded: true } }),
    ['network-lost'],
  ],
  ['disk missing', stopped({ disk: { state: 'missing' } }), ['disk-damaged']],
  ['disk damaged while it runs', running({ disk: { state: 'damaged', why: 'corrupt' } }), ['disk-damaged']],
  [
    'something cut off',
    running({ folder: { path: '/v', names: ['.a.0123abcd.partial', 'root.qcow2'] } }),
    ['temporary-file'],
  ],
  ['a row that cannot be read', stopped({ record: undefined, damagedRow }), ['row-damaged']],
];

for (const [title, vm, kinds] of CASES) {
  test(`${title}: ${kinds.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(
      planVm(vm).map(({ kind }) => kind),
      kinds,
    );
  });

  test(`${title}: nothing while an operation runs`, () => {
    assert.deepEqual(planVm({ ...vm, isBusy: true }), []);
  });
}

for (const state of ['creating', 'starting', 'stopping', 'deleting'] as const) {
  test(`a VM that nobody works on is not ${state}`, () => {
    const [finding, ...others] = planVm(running({ record: vmRecord({ state }) }));
    assert.equal(finding?.kind, 'unfinished-state');
    assert.deepEqual(others, [], 'what there is of it is for that repair to see to');
  });
}

test('a folder without a row says whether there is anything finished in it', () => {
  const [empty] = planVm(
    stopped({ record: undefined, folder: { path: '/v', names: ['.root.qcow2.0123abcd.partial'] } }),
  );
  assert.match(empty?.repair ?? '', /removes/);
  const [full] = planVm(stopped({ record: undefined }));
  assert.match(full?.repair ?? '', /orphans/);
});

test('the disk of a VM that runs is never given up', () => {
  const [finding] = planVm(running({ disk: { state: 'missing' } }));
  assert.equal(finding?.repair, undefined);
  assert.match(finding?.hint ?? '', /copy/);
});

test('a VM that says already that its disk is gone is only news', () => {
  const lastError = { code: 'DISK_DAMAGED', message: 'its disk is missing' };
  const record = vmRecord({ state: 'error', lastError });
  const [finding] = planVm(stopped({ record, disk: { state: 'missing' } }));
  assert.equal(finding?.severity, 'info');
  assert.equal(finding?.repair, undefined);
});

test('a damaged row is not put aside while its machine runs', () => {
  const [finding] = planVm(stopped({ record: undefined, damagedRow, machines: [machine(5)] }));
  assert.equal(finding?.repair, undefined);
  assert.match(finding?.hint ?? '', /process 5/);
});

const names = fc.option(fc.subarray(['root.qcow2', 'handles.json', '.root.qcow2.0123abcd.partial']), {
  nil: undefined,
});
const observed: fc.Arbitrary<ObservedVm> = fc.record({
  id: fc.constant(ID),
  isBusy: fc.constant(false),
  record: fc.option(
    fc.constantFrom(...vmStateSchema.options).map((state) => vmRecord({ state })),
    { nil: undefined },
  ),
  damagedRow: fc.constant(undefined),
  machines: fc.subarray([machine(5), machine(6)]),
  networkProcesses: fc.subarray([OTHER]),
  folder: fc.record({ path: fc.constant('/vms/x'), names }),
  runtimeFolder: fc.record({ path: fc.constant('/run/x'), names }),
  disk: fc.constantFrom({ state: 'good' as const }, { state: 'missing' as const }),
  handles: fc.record({
    file: fc.constantFrom('missing' as const, 'unreadable' as const, 'read' as const),
    machine: fc.option(fc.constantFrom(machine(5).process, OTHER), { nil: undefined }),
    networkEnded: fc.boolean(),
  }),
});

test('whatever is found: each finding says why, is one of its kind, and a promised repair exists', () => {
  fc.assert(
    fc.property(observed, (vm) => {
      const findings = planVm(vm);
      const keys = findings.map(({ kind, path, pid }) => `${kind} ${path} ${pid}`);
      assert.equal(new Set(keys).size, keys.length);
      for (const { kind, reason, repair, severity } of findings) {
        assert.notEqual(reason, '');
        if (repair !== undefined) assert.ok(VM_REPAIRS[kind], kind);
        if (severity === 'info') assert.equal(repair, undefined);
      }
      const isInOrder = vm.record !== undefined && findings.length === 0;
      if (isInOrder) assert.equal(vm.record?.state === 'running', vm.machines.length === 1);
    }),
  );
});
