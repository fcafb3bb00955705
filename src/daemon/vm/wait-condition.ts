import { delay } from '#base/backoff.ts';
import type { Abortable } from '#base/abort.ts';
import { isUserError } from '#contract/errors.ts';
import type { Vm, WaitCondition } from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import { isInitReady } from './init-state.ts';

/** How often a guest is asked for what it does not tell by itself: each question of systemd costs an emulated guest 50 ms. */
const ASK_EVERY_MS = 200;
const ASK_AT_LEAST_EVERY_MS = 1000;

export interface WaitParts {
  /** Asks `probe` now and after each change of a VM, until it answers. */
  waitUntil(probe: () => Vm | undefined, options: Abortable): Promise<Vm>;
  /** The VM as it is now. @throws UserError `VM_NOT_FOUND` when it was deleted */
  view(): Vm;
  agent(options: Abortable): Promise<AgentClient>;
}

/** Resolves with the VM once the condition holds. */
export async function waitForCondition(
  { waitUntil, view, agent }: WaitParts,
  condition: WaitCondition,
  options: Abortable,
): Promise<Vm> {
  const stateProbe = () => {
    const vm = view();
    return holds(vm, condition) ? vm : undefined;
  };
  for (let pauseMs = ASK_EVERY_MS; ; pauseMs = Math.min(pauseMs * 1.3, ASK_AT_LEAST_EVERY_MS)) {
    const vm = await waitUntil(stateProbe, options);
    if (condition === 'running' || condition === 'stopped' || condition === 'agent') return vm;
    if (await guestSays(condition, { agent, options })) return view();
    await delay(pauseMs, options);
  }
}

/** For what only the guest knows: whether it can be asked. */
function holds(vm: Vm, condition: WaitCondition): boolean {
  if (condition === 'running' || condition === 'stopped') return vm.state === condition;
  return vm.state === 'running' && vm.bootId !== undefined;
}

async function guestSays(
  condition: WaitCondition,
  { agent, options }: { agent: WaitParts['agent']; options: Abortable },
): Promise<boolean> {
  try {
    const client = await agent(options);
    if (condition === 'systemd') return await isInitReady(client, options);
    const port = Number(condition.slice('port:'.length));
    const listening = await client.ports({ ...options, withoutOwners: true });
    return listening.some((one) => one.protocol === 'tcp' && one.port === port);
  } catch (error) {
    options.signal?.throwIfAborted();
    // It has just stopped, or its agent comes back: that is waited for.
    if (isUserError(error)) return false;
    throw error;
  }
}
