import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runGroup, type GroupResult } from './run-group.ts';
import { END, type TestLine } from './test-line.ts';

const REPORTER = join(import.meta.dirname, 'report-events.ts');

export interface RunFileOptions {
  root: string;
  logFolder: string;
  env: NodeJS.ProcessEnv;
  testTimeoutMs: number;
  fileTimeoutMs: number;
}

export interface FileResult {
  file: string;
  durationMs: number;
  tests: TestLine[];
  /** What the tests printed; only worth reading when one failed. */
  output: string;
}

/** Runs one test file in a process of its own. */
export async function runFile(file: string, options: RunFileOptions): Promise<FileResult> {
  const { root, logFolder, env, testTimeoutMs, fileTimeoutMs } = options;
  const report = join(logFolder, `${file.replaceAll('/', '-')}.report`);
  const args = [`--test-timeout=${testTimeoutMs}`, `--test-reporter=${REPORTER}`, file];
  const result = await runGroup([process.execPath, ...args], {
    cwd: root,
    env: { ...env, BANGER_TEST_REPORT: report },
    logFolder,
    timeoutMs: fileTimeoutMs,
  });
  const { durationMs, output } = result;
  const { tests, isComplete } = readReport(report);
  const text = problemOf(result, tests, isComplete);
  if (text) tests.push({ name: 'the test file', line: 0, durationMs, outcome: 'fail', text });
  return { file, durationMs, tests, output };
}

/** What is wrong with how the file as a whole ended, if anything. */
function problemOf(
  { ending, status }: GroupResult,
  tests: readonly TestLine[],
  isComplete: boolean,
): string | undefined {
  if (ending) return ending;
  const isExplained = status === 0 || tests.some(({ outcome }) => outcome === 'fail');
  if (!isExplained) return `ended with status ${status} though no test failed`;
  if (!isComplete && tests.length > 0) return 'ended before its tests did';
  return tests.length === 0 ? 'contains no test' : undefined;
}

function readReport(path: string): { tests: TestLine[]; isComplete: boolean } {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // it ended before its first test did
  }
  const lines = text.split('\n').filter((line) => line !== '');
  const parsed = lines.map((line) => JSON.parse(line) as TestLine | typeof END);
  return { tests: parsed.filter((line) => line !== END), isComplete: parsed.at(-1) === END };
}
