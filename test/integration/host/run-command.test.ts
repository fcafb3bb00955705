import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandError, lastLines, runCommand } from '#host/run-command.ts';

const PROGRAMS = join(import.meta.dirname, '../../fixtures/programs');

async function failureOf(running: Promise<unknown>): Promise<CommandError> {
  let failure: unknown;
  await assert.rejects(running, (error) => {
    failure = error;
    return true;
  });
  assert.ok(failure instanceof CommandError, String(failure));
  return failure;
}

test('both outputs come back as they are', async () => {
  const { stdout, stderr } = await runCommand('sh', ['-c', 'echo out; echo err >&2; printf " end"']);
  assert.equal(stdout, 'out\n end');
  assert.equal(stderr, 'err\n');
});

test('arguments are not read by a shell', async () => {
  const { stdout } = await runCommand('echo', ['$HOME', '; echo x', '`id`', 'a  b']);
  assert.equal(stdout, '$HOME ; echo x `id` a  b\n');
});

test('input is given and ended; without any there is none to wait for', async () => {
  assert.equal((await runCommand('cat', [], { input: 'given' })).stdout, 'given');
  assert.equal((await runCommand('cat', [])).stdout, '');
});

test('a status other than 0 is an error with the last words', async () => {
  const error = await failureOf(runCommand('sh', ['-c', 'echo partial; echo wrong >&2; exit 3']));
  assert.equal(error.exitCode, 3);
  assert.equal(error.stdout, 'partial\n');
  assert.equal(error.stderr, 'wrong');
  assert.equal(error.message, 'sh: exit status 3: wrong');
});

test('a program that is not there', async () => {
  const error = await failureOf(runCommand('program-that-is-not-there', []));
  assert.equal(error.systemCode, 'ENOENT');
  assert.equal(error.message, 'program-that-is-not-there: not found');
});

test('a program that ends by a signal', async () => {
  const error = await failureOf(runCommand('sh', ['-c', 'kill -9 $$']));
  assert.equal(error.terminatedBy, 'SIGKILL');
  assert.equal(error.message, 'sh: ended by SIGKILL');
});

test('lines come while the program runs, also the last one without an end', async () => {
  const lines: string[] = [];
  await runCommand('sh', ['-c', 'echo one; echo two >&2; printf three'], {
    onLine: (line, stream) => lines.push(`${stream}: ${line}`),
  });
  assert.deepEqual(lines.toSorted(), ['stderr: two', 'stdout: one', 'stdout: three']);
});

test('a time limit ends a program that ignores SIGTERM', { timeout: 20_000 }, async () => {
  const startedMs = performance.now();
  const error = await failureOf(runCommand(join(PROGRAMS, 'ignores-sigterm'), [], { timeoutMs: 200 }));
  assert.ok(error.timedOut);
  assert.ok(performance.now() - startedMs < 10_000);
});

test(
  'cancelling ends a program that ignores SIGTERM, with the reason that was given',
  { timeout: 20_000 },
  async () => {
    const reason = new Error('enough');
    const cancelling = new AbortController();
    const running = runCommand(join(PROGRAMS, 'ignores-sigterm'), [], {
      signal: cancelling.signal,
      onLine: () => cancelling.abort(reason),
    });
    await assert.rejects(running, reason);
  },
);

test('a signal that has aborted before starts nothing', async () => {
  const reason = new Error('enough');
  const running = runCommand('program-that-is-not-there', [], { signal: AbortSignal.abort(reason) });
  await assert.rejects(running, reason);
});

for (const onLine of [undefined, () => {}]) {
  const how = onLine ? 'read by lines' : 'collected';
  test(
    `a program that floods its output is ended, not collected without bound (${how})`,
    { timeout: 60_000 },
    async () => {
      const before = process.memoryUsage().rss;
      const error = await failureOf(
        runCommand(join(PROGRAMS, 'floods-output'), [], { ...(onLine && { onLine }) }),
      );
      assert.equal(error.message, `${join(PROGRAMS, 'floods-output')}: printed more than 16 MiB`);
      assert.ok(process.memoryUsage().rss - before < 512 * 2 ** 20);
    },
  );
}

test('a program that closes its outputs early is waited for', async () => {
  const error = await failureOf(runCommand(join(PROGRAMS, 'closes-output-early'), []));
  assert.equal(error.exitCode, 7);
  assert.equal(error.stdout, 'early\n');
});

test('the last lines of a text', () => {
  assert.equal(lastLines('a\nb\nc\n\n', 2), 'b\nc');
  assert.equal(lastLines('a', 5), 'a');
  assert.equal(lastLines('', 5), '');
});
