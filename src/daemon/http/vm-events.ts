import type { VmEvent } from '#contract/owner/event.ts';

/** Server-sent events of VMs. Ends in peace when the signal aborts. */
export async function* writeVmEvents(
  events: AsyncIterable<VmEvent>,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  try {
    for await (const event of events) yield `id: ${event.seq}\nevent: vm\ndata: ${JSON.stringify(event)}\n\n`;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
