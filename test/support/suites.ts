import { availableParallelism } from 'node:os';

export interface Suite {
  name: string;
  /** Test files, as a glob from the root of the repository. */
  files?: string;
  /** Or a program that prints "NAME: N passed, N failed" as its last line. */
  command?: readonly string[];
  /** Test files that run at the same time. */
  concurrency: number;
  testTimeoutMs: number;
  fileTimeoutMs: number;
  /** Afterwards the host must be as it was. */
  checksLeaks: boolean;
  /** A test that takes longer is named. */
  slowMs: number;
}

const MINUTE = 60_000;
const cores = availableParallelism();

/** In the order in which they run: what fails fast comes first. */
export const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    files: 'src/**/*.test.ts',
    concurrency: cores,
    testTimeoutMs: 30_000,
    fileTimeoutMs: MINUTE,
    checksLeaks: false,
    slowMs: 500,
  },
  {
    name: 'architecture',
    files: 'test/architecture/**/*.test.ts',
    concurrency: cores,
    testTimeoutMs: MINUTE,
    fileTimeoutMs: 2 * MINUTE,
    checksLeaks: false,
    slowMs: 5000,
  },
  {
    name: 'agent',
    command: ['make', '-C', 'agent', 'test'],
    concurrency: 1,
    testTimeoutMs: 10 * MINUTE,
    fileTimeoutMs: 10 * MINUTE,
    checksLeaks: false,
    slowMs: MINUTE,
  },
  {
    name: 'integration',
    files: 'test/integration/**/*.test.ts',
    concurrency: cores,
    testTimeoutMs: 2 * MINUTE,
    fileTimeoutMs: 10 * MINUTE,
    checksLeaks: true,
    slowMs: 5000,
  },
  {
    name: 'machine',
    files: 'test/machine/**/*.test.ts',
    concurrency: 1,
    testTimeoutMs: 10 * MINUTE,
    fileTimeoutMs: 40 * MINUTE,
    checksLeaks: true,
    slowMs: MINUTE,
  },
];
