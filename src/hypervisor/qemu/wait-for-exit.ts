import { raceAbort, type Abortable } from '#base/abort.ts';
import { isAlive, waitForProcessExit } from '#host/proc.ts';
import type { Machine } from '../hypervisor.ts';
import type { QmpConnections } from './qmp-connections.ts';
import { QmpConnectionError } from './qmp.ts';

/** How often to look when the socket cannot tell. */
const FALLBACK_POLL_MS = 500;

/**
 * Resolves within milliseconds of the machine's end and costs nothing until then: the kernel closes the QMP session when
 * QEMU ends, however it ends. Looking at /proc now and then covers a socket that cannot be reached.
 */
export async function waitForMachineExit(
  machine: Machine,
  connections: QmpConnections,
  { signal }: Abortable = {},
): Promise<void> {
  signal?.throwIfAborted();
  if (!(await isAlive(machine.process))) return;
  const settled = new AbortController();
  const bound = signal ? AbortSignal.any([signal, settled.signal]) : settled.signal;
  try {
    await Promise.race([
      untilSessionCloses(machine, connections, bound),
      waitForProcessExit(machine.process, {
        signal: bound,
        firstMs: FALLBACK_POLL_MS,
        maxMs: FALLBACK_POLL_MS,
      }),
    ]);
  } finally {
    settled.abort();
  }
  await waitForProcessExit(machine.process, { signal, maxMs: 10 });
}

async function untilSessionCloses(
  machine: Machine,
  connections: QmpConnections,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connections.use(machine.controlSocketPath, (client) => raceAbort(client.closed, signal), {
      signal,
    });
  } catch (error) {
    if (!(error instanceof QmpConnectionError)) throw error;
    await raceAbort(new Promise<never>(() => {}), signal); // leave it to the other watch
  }
}
