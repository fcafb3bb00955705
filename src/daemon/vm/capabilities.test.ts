import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { MachineConfig } from '#hypervisor/hypervisor.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { Capabilities } from './capabilities.ts';
import type { VmCapability } from './capability.ts';

/** Writes down which of its hooks ran; fails in the one that it is told to. */
function witness(name: string, diary: string[], failsIn?: keyof VmCapability): VmCapability {
  const note = async (hook: keyof VmCapability) => {
    diary.push(`${name} ${hook}`);
    if (hook === failsIn) throw new Error(`${name} cannot`);
  };
  return {
    name,
    checkStart: () => note('checkStart'),
    prepareHost: () => note('prepareHost'),
    contributeGuest: () => [`banger.${name}=1`],
    contributeMachine: (_, config) => ({ ...config, memoryMiB: config.memoryMiB * 2 }),
    afterStart: () => note('afterStart'),
    cleanUp: () => note('cleanUp'),
    applyChange: () => note('applyChange'),
  };
}

function two(failsIn?: keyof VmCapability) {
  const diary: string[] = [];
  return { diary, capabilities: new Capabilities([witness('a', diary, failsIn), witness('b', diary)]) };
}

test('hooks run in the order of the capabilities, cleaning up in the reverse one', async () => {
  const { diary, capabilities } = two();
  await capabilities.checkStart(vmRecord(), {});
  await capabilities.prepareHost(vmRecord(), {});
  await capabilities.afterStart(vmRecord(), {});
  await capabilities.applyChange(vmRecord(), vmRecord());
  await capabilities.cleanUp('1');
  const forward = (['checkStart', 'prepareHost', 'afterStart', 'applyChange'] as const).flatMap((hook) => [
    `a ${hook}`,
    `b ${hook}`,
  ]);
  assert.deepEqual(diary, [...forward, 'b cleanUp', 'a cleanUp']);
});

test('what each adds to the machine and the guest comes together', () => {
  const { capabilities } = two();
  assert.deepEqual(capabilities.guestWords(vmRecord()), ['banger.a=1', 'banger.b=1']);
  assert.equal(capabilities.machineConfig(vmRecord(), { memoryMiB: 256 } as MachineConfig).memoryMiB, 1024);
});

test('one that cannot be prepared stops the start there', async () => {
  const { diary, capabilities } = two('prepareHost');
  await assert.rejects(capabilities.prepareHost(vmRecord(), {}), /a cannot/);
  assert.deepEqual(diary, ['a prepareHost']);
});

test('a machine that runs already gets the others, whatever one does', async () => {
  const { diary, capabilities } = two('afterStart');
  await capabilities.afterAdoption(vmRecord(), silentLogger);
  assert.deepEqual(diary, ['a afterStart', 'b afterStart']);
});

test('every one cleans up, and the failure is told', async () => {
  const { diary, capabilities } = two('cleanUp');
  await assert.rejects(capabilities.cleanUp('1'), /a cannot/);
  assert.deepEqual(diary, ['b cleanUp', 'a cleanUp']);
});

test('one without hooks is no trouble', async () => {
  const capabilities = new Capabilities([{ name: 'bare' }]);
  await capabilities.checkStart(vmRecord(), {});
  await capabilities.afterStart(vmRecord(), {});
  await capabilities.cleanUp('1');
  assert.deepEqual(capabilities.guestWords(vmRecord()), []);
});
