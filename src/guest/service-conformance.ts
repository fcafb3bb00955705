import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { isUserError } from '#contract/errors.ts';
import type { ServiceDefinition } from '#contract/guest/service-messages.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import { AgentClient } from './agent-client.ts';

export interface ServiceUnderTest {
  /** A new stream to the agent; the one before is over by then. */
  open(): Promise<Duplex>;
  /** What came out on the console so far. */
  readConsole(): Promise<string>;
}

const DEADLINE_MS = 10_000;
const TEST_TIMEOUT_MS = 30_000;

/** What the service of every agent does. */
export function describeService(
  name: string,
  start: () => Promise<ServiceUnderTest & AsyncDisposable>,
): void {
  describe(`${name} with a service`, () => {
    for (const [title, test] of Object.entries(SERVICE_TESTS)) {
      it(title, { timeout: TEST_TIMEOUT_MS }, async () => {
        await using agent = await start();
        const clients: AgentClient[] = [];
        const reconnect = async () => {
          await clients.at(-1)?.close();
          const client = await AgentClient.connect(await agent.open(), { signal: deadline() });
          clients.push(client);
          return client.service;
        };
        try {
          await test({ service: await reconnect(), reconnect, readConsole: () => agent.readConsole() });
        } finally {
          await endService(await reconnect());
          await clients.at(-1)?.close();
        }
      });
    }
  });
}

type Service = AgentClient['service'];

interface ServiceTest {
  service: Service;
  reconnect: () => Promise<Service>;
  readConsole: () => Promise<string>;
}

const SERVICE_TESTS: Record<string, (test: ServiceTest) => Promise<void>> = {
  async 'runs what is defined, with its output on the console'({ service, readConsole }) {
    assert.equal(await service.status(), undefined);
    await service.define(of('echo out; echo err >&2; exit 0'));
    const exited = await whenState(service, 'exited');
    assert.partialDeepStrictEqual(exited, { starts: 1, lastExit: { exitCode: 0 } });
    assert.equal(exited.pid, undefined);
    assert.ok((exited.startedAt ?? '') <= (exited.endedAt ?? ''));
    const findOutput = async () => (await readConsole()).includes('out\nerr\n') || undefined;
    await pollUntil(findOutput, { signal: deadline() });
  },

  async 'goes on without a session, and is not started again by the same definition'({ service, reconnect }) {
    await service.define(of('sleep 60'));
    const before = await whenState(service, 'running');
    const after = await reconnect();
    const again = await after.define(of('sleep 60'), { replace: true });
    assert.partialDeepStrictEqual(again, { state: 'running', starts: 1, pid: before.pid });
  },

  async 'refuses a different one, unless it is to replace the first'({ service }) {
    await service.define(of('sleep 60'));
    const first = await whenState(service, 'running');
    await refusesWith('EXISTS', service.define(of('sleep 61')));
    assert.equal((await service.status())?.pid, first.pid);
    await service.define(of('sleep 61'), { replace: true });
    const findSecond = async () => {
      const status = await service.status();
      return status?.state === 'running' && status.pid !== first.pid ? status : undefined;
    };
    const second = await pollUntil(findSecond, { signal: deadline() });
    assert.equal(second.starts, 1);
    assert.equal(second.lastExit, undefined);
  },

  async 'starts one that fails again, later each time'({ service }) {
    await service.define({ ...of('exit 3'), restart: 'on-failure' });
    const waiting = await whenState(service, 'backoff', 2);
    assert.deepEqual(waiting.lastExit, { exitCode: 3 });
    assert.ok((waiting.restartInMs ?? -1) >= 0);
    assert.equal((await service.stop()).state, 'stopped');
  },

  async 'restarts as its policy says'({ service }) {
    await service.define({ ...of('exit 0'), restart: 'on-failure' });
    assert.equal((await whenState(service, 'exited')).starts, 1);
    await service.define({ ...of('exit 0'), restart: 'always' }, { replace: true });
    await whenState(service, 'backoff', 2);
    await service.define({ ...of('kill -9 $$'), restart: 'no' }, { replace: true });
    const killed = await whenState(service, 'exited');
    assert.partialDeepStrictEqual(killed, { starts: 1, lastExit: { signal: 9 } });
  },

  async 'stops with the signal that was defined, and starts again'({ service }) {
    await service.define({ ...of('sleep 60'), stopSignal: 2, restart: 'always' });
    await whenState(service, 'running');
    const stopped = await service.stop();
    assert.partialDeepStrictEqual(stopped, { state: 'stopped', starts: 1, lastExit: { signal: 2 } });
    assert.deepEqual(await service.stop(), stopped);
    await service.start();
    assert.equal((await whenState(service, 'running')).starts, 2);
  },

  async 'says why it could not start, and does not try again'({ service }) {
    await service.define({ argv: ['no-such-program'], env: {}, restart: 'always' });
    const failed = await whenState(service, 'failed');
    assert.partialDeepStrictEqual(failed, { starts: 0, failure: { code: 'NOT_FOUND' } });
    await service.define({ argv: ['/etc/passwd'], env: {}, restart: 'always' }, { replace: true });
    const findDenied = async () => (await service.status())?.failure?.code === 'DENIED' || undefined;
    await pollUntil(findDenied, { signal: deadline() });
    assert.equal((await service.stop()).state, 'failed');
  },

  async 'has nothing to stop or start before it is defined'({ service }) {
    await refusesWith('NOT_FOUND', service.stop());
    await refusesWith('NOT_FOUND', service.start());
  },
};

function of(script: string): ServiceDefinition {
  const [program = '', ...rest] = script.split(' ');
  const argv = program === 'sleep' ? [program, ...rest] : ['sh', '-c', script];
  return { argv, env: { NAME: 'value' }, restart: 'no', graceMs: 5000 };
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(DEADLINE_MS);
}

function whenState(service: Service, state: ServiceStatus['state'], starts = 1): Promise<ServiceStatus> {
  const find = async () => {
    const status = await service.status();
    const isThere = status?.state === state && (state === 'failed' || status.starts >= starts);
    return isThere ? status : undefined;
  };
  return pollUntil(find, { signal: deadline() });
}

/** It would outlive the agent, which is killed. */
async function endService(service: Service): Promise<void> {
  if (await service.status()) await service.stop({ graceMs: 0, signal: deadline() });
}

async function refusesWith(guestCode: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(
    promise,
    (error) => isUserError(error, 'GUEST_OPERATION_FAILED') && error.details?.['guestCode'] === guestCode,
  );
}
