import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { AgentClient } from '#guest/agent-client.ts';
import { describeHypervisor, type HypervisorUnderTest } from '#hypervisor/conformance.ts';
import { FakeHypervisor } from '#hypervisor/fake/fake-hypervisor.ts';
import { MachinePlace } from '../../support/machine-place.ts';

const options = { machineProgram: join(import.meta.dirname, '../../fixtures/fake-machine.ts') };

async function setUp(): Promise<HypervisorUnderTest> {
  const hypervisor = new FakeHypervisor(options);
  const place = await MachinePlace.create(hypervisor);
  return {
    hypervisor,
    newConfig: () => place.newConfig(),
    endingSoon(config) {
      hypervisor.fault = { kind: 'ends-by-itself', afterMs: 50 };
      return config;
    },
    unstartable(config) {
      hypervisor.fault = { kind: 'dies-at-start', stderr: 'fake: no memory' };
      return config;
    },
    launchFromProcessThatDies: (config) => place.launchFromProcessThatDies('fake', options, config),
    anotherHypervisor: () => new FakeHypervisor(options),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

describeHypervisor('FakeHypervisor', setUp);

test('the agent of a fake machine answers, and its power-off ends the machine', async () => {
  await using place = await setUp();
  const config = await place.newConfig();
  const machine = await place.hypervisor.launch(config);
  const client = await AgentClient.connect(connect(machine.guestSocketPath));
  assert.ok((await client.ping()) > 0);
  await client.powerOff();
  await place.hypervisor.waitForExit(machine, { signal: AbortSignal.timeout(10_000) });
  assert.match(await readFile(config.consoleLogPath, 'utf8'), /reboot: Power down/);
});

test('a machine that never answers runs and takes connections', async () => {
  await using place = await setUp();
  const hypervisor = new FakeHypervisor({ ...options, fault: { kind: 'never-answers' } });
  const machine = await hypervisor.launch(await place.newConfig());
  const connecting = AgentClient.connect(connect(machine.guestSocketPath), {
    signal: AbortSignal.timeout(300),
  });
  await assert.rejects(connecting);
  assert.equal(await hypervisor.status(machine), 'running');
});

test('a machine that starts slowly is waited for', async () => {
  await using place = await setUp();
  const hypervisor = new FakeHypervisor({ ...options, fault: { kind: 'starts-slowly', delayMs: 400 } });
  const startedMs = performance.now();
  await hypervisor.launch(await place.newConfig());
  assert.ok(performance.now() - startedMs >= 400);
});

test('a machine whose disk is missing is not started', async () => {
  await using place = await setUp();
  const config = await place.newConfig();
  const disks = [
    { serial: 'root', path: join(config.runtimeDir, 'missing'), format: 'raw' as const, readOnly: false },
  ];
  await assert.rejects(place.hypervisor.launch({ ...config, disks }), { code: 'MACHINE_START_FAILED' });
});
