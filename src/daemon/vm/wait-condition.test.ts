import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import type { ListeningPort } from '#contract/guest/port-messages.ts';
import type { Vm } from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import { viewVm } from './vm-view.ts';
import { waitForCondition, type WaitParts } from './wait-condition.ts';

const NGINX = { protocol: 'tcp', address: '0.0.0.0', port: 80, inode: 1 } as const;

/** A VM that answers what a test lets it answer, question after question. */
function guest(answers: (readonly ListeningPort[] | Error)[]): WaitParts & { asked: number } {
  const vm: Vm = { ...viewVm(vmRecord({ state: 'running' }), {}, undefined), bootId: 'boot' };
  const parts = {
    asked: 0,
    view: () => vm,
    waitUntil: async (probe: () => Vm | undefined, { signal }: { signal?: AbortSignal }) => {
      signal?.throwIfAborted();
      return probe() ?? assert.fail('nothing will change');
    },
    agent: async () =>
      ({
        ports: async () => {
          const answer = answers[Math.min(parts.asked, answers.length - 1)] ?? [];
          parts.asked += 1;
          if (answer instanceof Error) throw answer;
          return answer;
        },
      }) as unknown as AgentClient,
  };
  return parts;
}

test('a state that holds is answered without asking the guest', async () => {
  const parts = guest([]);
  assert.equal((await waitForCondition(parts, 'running', {})).state, 'running');
  assert.equal((await waitForCondition(parts, 'agent', {})).bootId, 'boot');
  assert.equal(parts.asked, 0);
});

test('a port is asked for until somebody listens on it with TCP', async () => {
  const parts = guest([[], [{ ...NGINX, protocol: 'udp' }], [{ ...NGINX, port: 8080 }], [NGINX]]);
  await waitForCondition(parts, 'port:80', {});
  assert.equal(parts.asked, 4);
});

test('an agent that is away for a moment is waited for, a bug is not', async () => {
  const parts = guest([new UserError('GUEST_LINK_LOST', 'gone'), [NGINX]]);
  await waitForCondition(parts, 'port:80', {});
  assert.equal(parts.asked, 2);
  await assert.rejects(waitForCondition(guest([new TypeError('bug')]), 'port:80', {}), TypeError);
});

test('the wait ends with the reason of its signal', async () => {
  const signal = AbortSignal.timeout(50);
  await assert.rejects(waitForCondition(guest([[]]), 'port:80', { signal }), { name: 'TimeoutError' });
});
