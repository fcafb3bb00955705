import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import { type Operation, operationSchema } from '#contract/owner/operation.ts';

/** Reads the event stream of one operation. */
export async function* readOperationEvents(
  stream: IncomingMessage,
): AsyncGenerator<Operation, void, undefined> {
  const received: Operation[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === 'operation') received.push(operationSchema.parse(JSON.parse(data)));
    },
  });
  stream.setEncoding('utf8');
  for await (const text of stream as AsyncIterable<string>) {
    parser.feed(text);
    yield* received.splice(0);
  }
}
