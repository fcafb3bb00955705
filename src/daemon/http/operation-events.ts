import type { Operation } from '#contract/owner/operation.ts';

/** Server-sent events of one operation. Ends in peace when the signal aborts. */
export async function* writeOperationEvents(
  events: AsyncIterable<Operation>,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  try {
    for await (const operation of events) yield `event: operation\ndata: ${JSON.stringify(operation)}\n\n`;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
