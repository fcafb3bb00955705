import type { FileResult } from './run-file.ts';
import type { Suite } from './suites.ts';
import type { TestLine } from './test-line.ts';

const SLOW_SHOWN = 5;
const OUTPUT_SHOWN = 20_000; // characters

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

export interface ReportOptions {
  print: (line: string) => void;
  /** Whether a test may be skipped for this reason; one that may not counts as failed. */
  allowsSkip: (file: string, reason: string) => boolean;
}

/** Prints what happens while it happens: a line per file, failures in full, the slowest tests, the sums. */
export class SuiteReport {
  readonly totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  readonly #print: ReportOptions['print'];
  readonly #allowsSkip: ReportOptions['allowsSkip'];
  #suite: Suite | undefined;
  #startedMs = 0;
  #tests: { file: string; test: TestLine }[] = [];

  constructor({ print, allowsSkip }: ReportOptions) {
    this.#print = print;
    this.#allowsSkip = allowsSkip;
  }

  begin(suite: Suite): void {
    this.#suite = suite;
    this.#startedMs = performance.now();
    this.#tests = [];
    this.#print(`\n== ${suite.name}`);
  }

  add(result: FileResult): void {
    const { file } = result;
    const tests = result.tests.map((test) => this.#judge(file, test));
    const failed = tests.filter(({ outcome }) => outcome === 'fail');
    this.#tests.push(...tests.map((test) => ({ file, test })));
    this.#print(
      `${failed.length > 0 ? 'FAIL' : '  ok'}  ${file}  ${tests.length} tests  ${seconds(result.durationMs)}`,
    );
    for (const test of failed) {
      if (test.text === '') continue;
      this.#print(`\n--- ${file}${test.line > 0 ? `:${test.line}` : ''}  ${test.name}`);
      this.#print(`${indent(test.text)}\n`);
    }
    if (failed.length > 0 && result.output.trim() !== '') {
      this.#print(`--- output of ${file}\n${indent(result.output.trimEnd().slice(-OUTPUT_SHOWN))}\n`);
    }
  }

  #judge(file: string, test: TestLine): TestLine {
    if (test.outcome !== 'skip' || this.#allowsSkip(file, test.text)) return test;
    return { ...test, outcome: 'fail', text: `skipped, which is not allowed here: ${test.text}` };
  }

  end(): void {
    const count = (outcome: TestLine['outcome']) =>
      this.#tests.filter(({ test }) => test.outcome === outcome).length;
    const totals: Totals = { passed: count('pass'), failed: count('fail'), skipped: count('skip') };
    this.#printSkipped();
    this.#printSlow();
    const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
    const elapsed = seconds(performance.now() - this.#startedMs);
    this.#print(
      `${this.#suite?.name}: ${totals.passed} passed, ${totals.failed} failed${skipped} in ${elapsed}`,
    );
    this.totals.passed += totals.passed;
    this.totals.failed += totals.failed;
    this.totals.skipped += totals.skipped;
  }

  #printSkipped(): void {
    for (const { file, test } of this.#tests) {
      if (test.outcome === 'skip') this.#print(`skip  ${file}  ${test.name}: ${test.text}`);
    }
  }

  #printSlow(): void {
    const slowMs = this.#suite?.slowMs ?? Infinity;
    const slow = this.#tests
      .filter(({ test }) => test.durationMs > slowMs)
      .toSorted((a, b) => b.test.durationMs - a.test.durationMs)
      .slice(0, SLOW_SHOWN);
    for (const { file, test } of slow)
      this.#print(`slow  ${seconds(test.durationMs)}  ${file}  ${test.name}`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
