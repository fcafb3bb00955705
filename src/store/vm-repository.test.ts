import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { vmStateSchema } from '#contract/owner/vm.ts';
import { vmRecord } from '../../test/support/vm-record.ts';
import { openDatabase, type Database } from './database.ts';
import { VmRepository, type VmRecord } from './vm-repository.ts';

let database: Database;
let vms: VmRepository;

beforeEach(() => {
  database = openDatabase(':memory:');
  vms = new VmRepository(database);
});

test('what was inserted is found by id and by name, unchanged', () => {
  const bare = vmRecord();
  const full = vmRecord({
    id: 'cccccccccccc',
    name: 'full',
    state: 'error',
    spec: { ...bare.spec, network: 'none', autoRemove: true, diskBytes: 2 ** 43 },
    startedAtMs: 1_700_000_000_001,
    stoppedAtMs: 1_700_000_000_002,
    lastError: { code: 'MACHINE_DIED', message: 'Cannot start "full": "quoted"\nüber \u0000 lines' },
  });
  vms.insert(bare);
  vms.insert(full);
  assert.deepEqual(vms.find(bare.id), bare);
  assert.deepEqual(vms.findByName('full'), full);
});

test('every state can be kept', () => {
  vms.insert(vmRecord());
  for (const state of vmStateSchema.options) {
    vms.update(vmRecord({ state }));
    assert.equal(vms.find(vmRecord().id)?.state, state);
  }
});

test('what is not there is undefined', () => {
  assert.equal(vms.find('0123456789ab'), undefined);
  assert.equal(vms.findByName('demo'), undefined);
  assert.deepEqual(vms.list(), []);
});

test('names and ids match exactly: no case folding, no pattern', () => {
  vms.insert(vmRecord());
  for (const name of ['Demo', 'dem', 'dem_', '%', "demo' OR '1'='1"])
    assert.equal(vms.findByName(name), undefined, name);
});

test('a second VM of the same name is refused and the first stays', () => {
  vms.insert(vmRecord());
  const second = vmRecord({ id: 'cccccccccccc' });
  assert.throws(
    () => vms.insert(second),
    (error) => isUserError(error, 'VM_NAME_TAKEN') && error.message.includes('"demo"'),
  );
  assert.deepEqual(vms.list(), [vmRecord()]);
});

test('the name is free again once its VM was removed', () => {
  vms.insert(vmRecord());
  vms.remove(vmRecord().id);
  vms.insert(vmRecord({ id: 'cccccccccccc' }));
  assert.equal(vms.findByName('demo')?.id, 'cccccccccccc');
});

test('update writes everything but the time of creation, of this VM alone', () => {
  const other = vmRecord({ id: 'cccccccccccc', name: 'other' });
  vms.insert(vmRecord());
  vms.insert(other);
  const changed = vmRecord({
    name: 'renamed',
    state: 'running',
    imageId: 'dddddddddddd',
    kernelId: 'eeeeeeeeeeee',
    startedAtMs: 7,
  });
  vms.update({ ...changed, createdAtMs: 1 });
  assert.deepEqual(vms.find(changed.id), changed);
  assert.deepEqual(vms.find(other.id), other);
});

test('update clears what became null', () => {
  vms.insert(vmRecord({ startedAtMs: 5, lastError: { code: 'INTERNAL', message: 'x' } }));
  vms.update(vmRecord());
  assert.deepEqual(vms.find(vmRecord().id), vmRecord());
});

test('list is oldest first, and by id among VMs of the same instant', () => {
  const order = [
    { id: 'ffffffffffff', name: 'first', createdAtMs: 1 },
    { id: '111111111111', name: 'second', createdAtMs: 2 },
    { id: '222222222222', name: 'third', createdAtMs: 2 },
  ];
  for (const differences of order.toReversed()) vms.insert(vmRecord(differences));
  assert.deepEqual(
    vms.list().map(({ name }) => name),
    ['first', 'second', 'third'],
  );
});

test('removing what is not there is no error', () => {
  vms.insert(vmRecord());
  vms.remove('cccccccccccc');
  assert.equal(vms.list().length, 1);
});

test('how a VM is run is kept, and may not be known', () => {
  const run: VmRecord['run'] = {
    entrypoint: ['/entry'],
    cmd: ['serve'],
    env: ['A=1'],
    labels: { made: 'here' },
    isService: true,
    restart: 'always',
  };
  vms.insert(vmRecord({ run }));
  vms.insert(vmRecord({ id: 'cccccccccccc', name: 'other' }));
  assert.deepEqual(
    vms.list().map((vm) => vm.run),
    [run, null],
  );
});

test('a damaged row is refused with the id of its VM, never half read', () => {
  const spec = JSON.stringify(vmRecord().spec);
  const damages: [string, string | null][] = [
    ['state', 'flying'],
    ['spec', '{"image":'],
    ['spec', '{}'],
    ['spec', spec.replace('}', ',"surprise":1}')],
    ['spec', spec.replace('"user"', '"bridge"')],
    ['run', '{"isService":true}'],
    ['last_error', 'not json'],
    ['last_error', '{"code":"INTERNAL"}'],
  ];
  for (const [column, value] of damages) {
    vms.insert(vmRecord());
    database.prepare(`UPDATE vms SET ${column} = ?`).run(value);
    assert.throws(
      () => vms.find('0123456789ab'),
      (error) => isUserError(error, 'STORE_UNREADABLE') && error.message.includes('"0123456789ab"'),
      `${column} = ${value}`,
    );
    vms.remove('0123456789ab');
  }
});

test('a damaged row is left out of the list, and listed apart with what is wrong', () => {
  vms.insert(vmRecord());
  vms.insert(vmRecord({ id: 'cccccccccccc', name: 'other' }));
  database.prepare("UPDATE vms SET spec = '{}', state = 'flying' WHERE name = 'demo'").run();
  assert.deepEqual(
    vms.list().map(({ name }) => name),
    ['other'],
  );
  const [damaged, ...others] = vms.listDamaged();
  assert.deepEqual([damaged?.id, damaged?.name, others], [vmRecord().id, 'demo', []]);
  assert.match(damaged?.why ?? '', /state: .*; spec\.image: /);
  assert.equal(damaged?.row['spec'], '{}');
});

test('where the store cannot grow, room is made for what stops and removes VMs, not for what starts them', () => {
  vms.insert(vmRecord());
  const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number };
  database.exec(`PRAGMA max_page_count = ${pages}`);
  let calls = 0;
  const full = new VmRepository(database, () => {
    calls += 1;
    database.exec('PRAGMA max_page_count = 1000');
    return true;
  });
  const name = 'x'.repeat(20_000);
  assert.throws(() => full.update(vmRecord({ state: 'starting', name })), /full/);
  assert.equal(calls, 0);
  full.update(vmRecord({ state: 'stopping', name }));
  assert.equal(calls, 1);
  assert.equal(full.find(vmRecord().id)?.state, 'stopping');
});
