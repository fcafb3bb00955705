// A node:test reporter: appends one JSON line per finished test, and one after the last, to the file in BANGER_TEST_REPORT. It writes
// at once, so that the lines are there whatever the test file does next.
import { appendFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { TestEvent } from 'node:test/reporters';
import { END, type TestLine } from './test-line.ts';

/** After this long without a running test, whatever keeps the process alive is a leak of the test file. */
const IDLE_MS = 10_000;

export default async function* reportEvents(events: AsyncIterable<TestEvent>): AsyncGenerator<never> {
  const path: string[] = [];
  const idle = new IdleWatch();
  for await (const event of events) {
    if (event.type === 'test:dequeue') idle.begin();
    else if (event.type === 'test:complete') idle.end();
    else if (event.type === 'test:start') path[event.data.nesting] = event.data.name;
    else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const line = toLine(event, path.slice(0, event.data.nesting));
      if (line) append(line);
    }
  }
  idle.stop();
  append(END);
  yield* [];
}

type Finished = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

function toLine(event: Finished, parents: readonly string[]): TestLine | undefined {
  const { data } = event;
  const error = event.type === 'test:fail' ? (event.data.details.error as TestError) : undefined;
  const isParentOnly = error?.failureType === 'subtestsFailed';
  const isSkipped = data.skip !== undefined || data.todo !== undefined;
  // A suite speaks through its tests, except a skipped one, whose tests say nothing.
  if (data.details.type === 'suite' && !isSkipped && (!error || isParentOnly)) return undefined;
  const reason = data.skip ?? data.todo;
  return {
    name: [...parents, data.name].join(' > '),
    line: data.line ?? 0,
    durationMs: data.details.duration_ms,
    outcome: isSkipped ? 'skip' : error ? 'fail' : 'pass',
    text: isSkipped
      ? typeof reason === 'string'
        ? reason
        : 'no reason given'
      : error && !isParentOnly
        ? describe(error)
        : '',
  };
}

interface TestError extends Error {
  failureType?: string;
}

function describe(error: TestError): string {
  const thrown =
    error.cause instanceof Error || error.failureType === 'testCodeFailure' ? error.cause : error;
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 6, breakLength: 110 });
}

function append(line: TestLine | typeof END): void {
  const target = process.env['BANGER_TEST_REPORT'];
  if (!target) throw new Error('BANGER_TEST_REPORT is not set: run the tests through npm test');
  appendFileSync(target, `${JSON.stringify(line)}\n`);
}

/** Ends a process that has no test left to run and does not end by itself, and says what keeps it. */
class IdleWatch {
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  begin(): void {
    this.#running += 1;
    this.stop();
  }

  end(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    this.#timer = setTimeout(() => {
      const kept = process.getActiveResourcesInfo().join(', ');
      const text = `its tests have ended, but the process is kept alive by: ${kept}`;
      append({ name: 'the test file ends', line: 0, durationMs: IDLE_MS, outcome: 'fail', text });
      process.exit(1);
    }, IDLE_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
