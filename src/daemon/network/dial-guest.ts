import type { Duplex } from 'node:stream';
import { withTimeout, type Abortable } from '#base/abort.ts';
import { UserError, isUserError } from '#contract/errors.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { GuestPortDialer } from './forward.ts';
import type { GuestTarget } from './guest-listeners.ts';

/** Beyond the agent's own 10 s only a guest that hangs lets one wait. */
const CONNECT_MS = 12_000;

/** Reaches one port of the guest through its agent; the target may change between connections. */
export function dialGuest(
  agent: (options: Abortable) => Promise<AgentClient>,
  target: () => GuestTarget,
): GuestPortDialer {
  return {
    async connectTcp({ signal }) {
      const bound = { signal: withTimeout(CONNECT_MS, signal) };
      return connectToFirst(await agent(bound), target(), bound);
    },
    async connectUdp(handler) {
      const { port, hosts } = target();
      const client = await agent({ signal: withTimeout(CONNECT_MS) });
      return client.connectUdp({ port, host: hosts[0] }, handler);
    },
  };
}

/** Tries the addresses in their order. @throws what the last one said */
export async function connectToFirst(
  agent: AgentClient,
  { port, hosts }: GuestTarget,
  options: Abortable,
): Promise<Duplex> {
  let failure: unknown = new UserError(
    'GUEST_OPERATION_FAILED',
    `Cannot connect to port ${port}: it has no address`,
  );
  for (const host of hosts) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next only if this one refuses
      return await agent.connectTcp(port, { ...options, host });
    } catch (error) {
      if (!isUserError(error, 'GUEST_OPERATION_FAILED')) throw error;
      failure = error;
    }
  }
  throw failure;
}
