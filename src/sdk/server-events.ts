import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { Parser } from './response.ts';

/** Reads a stream of server-sent events; those of another name are left out. */
export async function* readServerEvents<T>(
  stream: IncomingMessage,
  name: string,
  schema: Parser<T>,
): AsyncGenerator<T, void, undefined> {
  const received: T[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === name) received.push(schema.parse(JSON.parse(data)));
    },
  });
  stream.setEncoding('utf8');
  for await (const text of stream as AsyncIterable<string>) {
    parser.feed(text);
    yield* received.splice(0);
  }
}
