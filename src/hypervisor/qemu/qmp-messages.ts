import * as z from 'zod';

/** What a QMP server sends (qemu-project.org/docs, "QEMU Machine Protocol Specification"): one JSON object a line. */
const greetingSchema = z.object({ QMP: z.object({ capabilities: z.array(z.unknown()) }) });
const returnSchema = z.object({ return: z.unknown(), id: z.number().optional() });
const errorSchema = z.object({
  error: z.object({ class: z.string(), desc: z.string() }),
  id: z.number().optional(),
});
const eventSchema = z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).optional() });

export interface QmpEvent {
  name: string;
  data: Readonly<Record<string, unknown>>;
}

export type QmpMessage =
  | { kind: 'greeting' }
  | { kind: 'return'; id: number | undefined; value: unknown }
  | { kind: 'error'; id: number | undefined; errorClass: string; description: string }
  | { kind: 'event'; event: QmpEvent };

/** @throws Error when the line is not a QMP message */
export function parseQmpMessage(line: string): QmpMessage {
  const message = parseJsonObject(line);
  if ('event' in message) {
    const { event, data } = eventSchema.parse(message);
    return { kind: 'event', event: { name: event, data: data ?? {} } };
  }
  if ('error' in message) {
    const { error, id } = errorSchema.parse(message);
    return { kind: 'error', id, errorClass: error.class, description: error.desc };
  }
  if ('return' in message) {
    const answer = returnSchema.parse(message);
    return { kind: 'return', id: answer.id, value: answer.return };
  }
  greetingSchema.parse(message);
  return { kind: 'greeting' };
}

function parseJsonObject(line: string): object {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null) throw new Error('a QMP message is not an object');
  return value;
}
