// Prints how large files and functions are, and fails above the caps. The aims are in CONTRIBUTING.md.
import { resolve } from 'node:path';
import {
  FILE_LINES_CAP,
  FUNCTION_LINES_CAP,
  isTest,
  listFiles,
  measureFile,
  type FileFacts,
} from './stats/measure-files.ts';
import { quantilesOf } from './stats/quantiles.ts';

const root = resolve(import.meta.dirname, '..');
const files = listFiles(root, ['.ts', '.c', '.h']).map((path) => measureFile(root, path));
const source = files.filter(({ path }) => path.startsWith('src/') && !isTest(path));
const tests = files.filter(({ path }) => isTest(path));
const native = files.filter(({ path }) => !path.endsWith('.ts'));
const other = files.filter((file) => ![source, tests, native].some((group) => group.includes(file)));

const COLUMNS = [26, 7, 8, 6, 6, 6];

row('', ['count', 'median', '90 %', '95 %', 'max']);
describe('source files, lines', lineCounts(source));
describe('source functions, lines', functionLines(source));
describe('test files, lines', lineCounts(tests));
describe('scripts and bench, lines', lineCounts(other));
describe('C files, lines', lineCounts(native));

console.log();
const sourceLines = sum(lineCounts(source));
const share = (100 * sum(source.map(({ commentLines }) => commentLines))) / Math.max(1, sourceLines);
console.log(`comment lines in source       ${share.toFixed(1)} %`);
console.log(
  `test lines per source line    ${(sum(lineCounts(tests)) / Math.max(1, sourceLines)).toFixed(2)}`,
);

const problems = files.flatMap((file) => problemsOf(file));
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 || files.length === 0 ? 1 : 0;

function problemsOf({ path, lines, functions }: FileFacts): string[] {
  const long = isTest(path) ? [] : functions.filter((one) => one.lines > FUNCTION_LINES_CAP);
  return [
    ...(lines > FILE_LINES_CAP ? [`${path}: ${lines} lines, the cap is ${FILE_LINES_CAP}`] : []),
    ...long.map(
      (one) => `${path}:${one.line}: ${one.name} has ${one.lines} lines, the cap is ${FUNCTION_LINES_CAP}`,
    ),
  ];
}

function lineCounts(group: readonly FileFacts[]): number[] {
  return group.map(({ lines }) => lines);
}

function functionLines(group: readonly FileFacts[]): number[] {
  return group.flatMap(({ functions }) => functions.map(({ lines }) => lines));
}

function describe(title: string, values: readonly number[]): void {
  const { count, median, p90, p95, max } = quantilesOf(values);
  row(title, [count, median, p90, p95, max]);
}

function row(title: string, cells: readonly (string | number)[]): void {
  const [first, ...rest] = [title, ...cells];
  console.log(
    `${first.padEnd(COLUMNS[0] ?? 0)}${rest.map((cell, i) => String(cell).padStart(COLUMNS[i + 1] ?? 0)).join('')}`,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
