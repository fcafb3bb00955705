import { chmodSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { assertNoLeaks, snapshotHost, type HostSnapshot } from './leak-check.ts';
import { runCommand } from './run-command.ts';
import { runFile, type FileResult } from './run-file.ts';
import type { SuiteReport } from './suite-report.ts';
import type { Suite } from './suites.ts';

export interface RunSuiteOptions {
  root: string;
  /** Only files whose path contains one of these; all of them when empty. */
  pathParts: readonly string[];
  report: SuiteReport;
}

export async function runSuite(suite: Suite, options: RunSuiteOptions): Promise<void> {
  options.report.begin(suite);
  // Short, because socket paths below it have to fit into 108 bytes.
  const folder = mkdtempSync('/tmp/bgt-');
  const temporary = join(folder, 't');
  mkdirSync(temporary);
  // Some tests run programs as another user, who has to get through to a folder of his.
  for (const one of [folder, temporary]) chmodSync(one, 0o711);
  const env = {
    // Image and kernel, made once for all files of the suite.
    BANGER_TEST_ARTIFACTS: join(folder, 'artifacts'),
    ...process.env,
    TMPDIR: temporary,
    BANGER_TEST_SUITE: folder,
  };
  const run = { folder, temporary, env };
  await (suite.command
    ? runCommandSuite(suite, suite.command, { ...options, ...run })
    : runFileSuite(suite, { ...options, ...run }));
  options.report.end();
}

interface SuiteRun extends RunSuiteOptions {
  folder: string;
  /** The tests' own temporary folder, below `folder`. */
  temporary: string;
  env: NodeJS.ProcessEnv;
}

async function runCommandSuite(suite: Suite, command: readonly string[], run: SuiteRun): Promise<void> {
  const { root: cwd, env, folder } = run;
  const options = { cwd, env, logFolder: join(folder, 'log'), timeoutMs: suite.fileTimeoutMs };
  run.report.add(await runCommand(suite.name, command, options));
  rmSync(folder, { recursive: true, force: true });
}

async function runFileSuite(suite: Suite, run: SuiteRun): Promise<void> {
  const { root, report, pathParts, folder, temporary, env } = run;
  const files = globSync(suite.files ?? '', { cwd: root })
    .filter((file) => pathParts.length === 0 || pathParts.some((part) => file.includes(part)))
    .toSorted();
  if (files.length === 0 && pathParts.length === 0) {
    report.add(verdict('the suite has tests', `no file matches ${suite.files}`, 0));
  }
  const before = suite.checksLeaks ? snapshotHost({ folder: temporary, marker: folder }) : undefined;
  const queue = [...files];
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { testTimeoutMs, fileTimeoutMs } = suite;
      report.add(
        await runFile(file, { root, logFolder: join(folder, 'log'), env, testTimeoutMs, fileTimeoutMs }),
      );
    }
  };
  await Promise.all(Array.from({ length: suite.concurrency }, work));
  if (before && files.length > 0) report.add(await checkLeaks(before, folder));
  else rmSync(folder, { recursive: true, force: true });
}

async function checkLeaks(before: HostSnapshot, folder: string): Promise<FileResult> {
  const startedMs = performance.now();
  try {
    await assertNoLeaks(before);
    rmSync(folder, { recursive: true, force: true });
    return verdict('the suite leaves nothing behind', '', performance.now() - startedMs);
  } catch (error) {
    const text = `${error instanceof Error ? error.message : inspect(error)}\nKept for a look: ${folder}`;
    return verdict('the suite leaves nothing behind', text, performance.now() - startedMs);
  }
}

function verdict(name: string, text: string, durationMs: number): FileResult {
  const outcome = text === '' ? 'pass' : 'fail';
  return { file: name, durationMs, tests: [{ name, line: 0, durationMs, outcome, text }], output: '' };
}
