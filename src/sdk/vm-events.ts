import type { IncomingMessage } from 'node:http';
import { type VmEvent, vmEventSchema } from '#contract/owner/event.ts';
import { readServerEvents } from './server-events.ts';

/** Reads the event stream of VMs. */
export function readVmEvents(stream: IncomingMessage): AsyncIterable<VmEvent> {
  return readServerEvents(stream, 'vm', vmEventSchema);
}
