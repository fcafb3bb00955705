/** What a test file's process tells about one finished test. */
export interface TestLine {
  /** With the names of the suites around it. */
  name: string;
  line: number;
  durationMs: number;
  outcome: 'pass' | 'fail' | 'skip';
  /** Why it failed or was skipped. */
  text: string;
}

/** The last line of a report: without it the process ended before its tests did. */
export const END = 'end';
