import type { IncomingMessage } from 'node:http';
import { type Operation, operationSchema } from '#contract/owner/operation.ts';
import { readServerEvents } from './server-events.ts';

/** Reads the event stream of one operation. */
export function readOperationEvents(stream: IncomingMessage): AsyncIterable<Operation> {
  return readServerEvents(stream, 'operation', operationSchema);
}
