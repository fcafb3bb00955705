import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { afterEach, test } from 'node:test';
import { silentLogger, type LogFields, type Logger } from '#base/log.ts';
import type { VmRun } from '#contract/owner/vm-run.ts';
import { AgentClient } from '#guest/agent-client.ts';
import { FakeAgent } from '#guest/fake/fake-agent.ts';
import { newFakeGuestState } from '#guest/fake/fake-guest-state.ts';
import { RunCapability } from './run-capability.ts';

const SERVICE: VmRun = {
  cmd: ['sleep', '60'],
  workingDir: '/srv',
  stopSignal: 'INT',
  isService: true,
  restart: 'always',
};
const FOREGROUND: VmRun = { ...SERVICE, isService: false };

/** A guest that may be connected to again and again, and what looks after its VM. */
class Place {
  readonly state = newFakeGuestState();
  readonly warnings: LogFields[] = [];
  agent: AgentClient | undefined;
  readonly capability: RunCapability;

  constructor() {
    const log: Logger = { ...silentLogger, warn: (fields) => void this.warnings.push(fields) };
    this.capability = new RunCapability({ findAgent: () => this.agent, log });
  }

  async connect(): Promise<AgentClient> {
    const [ours, guests] = duplexPair();
    new FakeAgent(guests, this.state);
    this.agent = await AgentClient.connect(ours);
    return this.agent;
  }
}

let place = new Place();
afterEach(async () => {
  await place.state.service.end();
  await place.agent?.close();
  place = new Place();
});

test('a start tells the guest its service', async () => {
  await place.connect();
  await place.capability.afterStart({ id: 'a', run: SERVICE }, {});
  const { argv, cwd, stopSignal, restart } = place.state.service.definition ?? {};
  assert.deepEqual([argv, cwd, stopSignal, restart], [['sleep', '60'], '/srv', 2, 'always']);
  assert.equal(place.state.service.status?.state, 'running');
});

test('a guest whose agent is not there yet is told when it is', async () => {
  await place.capability.afterStart({ id: 'a', run: SERVICE }, {});
  assert.equal(place.state.service.definition, undefined);
  const agent = await place.connect();
  place.capability.connected({ id: 'a', run: SERVICE }, agent);
  assert.equal((await agent.service.status())?.state, 'running');
});

test('a daemon that finds the service running leaves it running', async () => {
  const first = await place.connect();
  place.capability.connected({ id: 'a', run: SERVICE }, first);
  const before = await first.service.status();
  await first.close();
  const second = await place.connect();
  place.capability.connected({ id: 'a', run: SERVICE }, second);
  assert.deepEqual(await second.service.status(), before);
});

test('a service that another build defined goes on, without a word of warning', async () => {
  const agent = await place.connect();
  await agent.service.define({ argv: ['sleep', '61'], env: {}, restart: 'no' });
  await place.capability.afterStart({ id: 'a', run: SERVICE }, {});
  assert.deepEqual(place.state.service.definition?.argv, ['sleep', '61']);
  assert.deepEqual(place.warnings, []);
});

test('a service that cannot be told fails the start, and is only noted of a VM that runs already', async () => {
  const broken = { ...SERVICE, cmd: ['a\0b'] };
  const agent = await place.connect();
  await assert.rejects(place.capability.afterStart({ id: 'a', run: broken }, {}), {
    code: 'INVALID_ARGUMENT',
  });
  place.capability.connected({ id: 'a', run: broken }, agent);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    place.warnings.map(({ vm }) => vm),
    ['a'],
  );
});

test('the working folder of a VM without a service is made', async () => {
  await place.connect();
  await place.capability.afterStart({ id: 'a', run: FOREGROUND }, {});
  assert.deepEqual([...place.state.archives.keys()], ['/srv']);
  assert.equal(place.state.service.definition, undefined);
});

test('nothing is asked of a guest that is to do nothing', async () => {
  await place.connect();
  await place.capability.afterStart({ id: 'a', run: null }, {});
  await place.capability.afterStart({ id: 'b', run: { ...FOREGROUND, workingDir: '/' } }, {});
  assert.deepEqual([...place.state.archives.keys()], []);
});
