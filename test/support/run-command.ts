import type { FileResult } from './run-file.ts';
import { runGroup, type GroupOptions } from './run-group.ts';
import type { TestLine } from './test-line.ts';

/** Runs a test program that counts for itself: its last such line is "NAME: N passed, N failed". */
export async function runCommand(
  name: string,
  command: readonly string[],
  options: GroupOptions,
): Promise<FileResult> {
  const file = command.join(' ');
  const { ending, status, output, durationMs } = await runGroup(command, options);
  const counts = [...output.matchAll(new RegExp(`^${name}: (\\d+) passed, (\\d+) failed$`, 'gm'))].at(-1);
  const passed = Number(counts?.[1] ?? 0);
  const failed = Number(counts?.[2] ?? 0);
  const toLine = (outcome: 'pass' | 'fail', text: string): TestLine => ({
    name: file,
    line: 0,
    durationMs: 0,
    outcome,
    text,
  });
  const tests = Array.from({ length: passed + failed }, (_, index) =>
    toLine(index < passed ? 'pass' : 'fail', ''),
  );
  if (ending) tests.push(toLine('fail', ending));
  else if (!counts) tests.push(toLine('fail', `it printed no "${name}: N passed, N failed"`));
  else if (status !== 0 && failed === 0) tests.push(toLine('fail', `it ended with status ${status}`));
  else if (tests.length === 0) tests.push(toLine('fail', 'it contains no test'));
  return { file, durationMs, tests, output };
}
