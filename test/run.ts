// usage: npm test [-- [SUITE...] [PART-OF-A-PATH...]]
//
// Runs the suites in order and prints "N passed, N failed" as its last line. With CI=true a test that is skipped has
// failed, unless support/allowed-skips.ts lets it.
import { resolve } from 'node:path';
import { isSkipAllowed } from './support/allowed-skips.ts';
import { killRunningGroups } from './support/run-group.ts';
import { runSuite } from './support/run-suite.ts';
import { SuiteReport } from './support/suite-report.ts';
import { SUITES } from './support/suites.ts';

const args = process.argv.slice(2);
const names = new Set(SUITES.map(({ name }) => name));
const chosen = SUITES.filter(({ name }) => args.includes(name));
const suites = chosen.length > 0 ? chosen : SUITES;
const pathParts = args.filter((arg) => !names.has(arg));
const report = new SuiteReport({
  print: (line) => process.stdout.write(`${line}\n`),
  allowsSkip: process.env['CI'] === 'true' ? isSkipAllowed : () => true,
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killRunningGroups();
    report.totals.failed += 1;
    finish('interrupted');
    process.exit(130);
  });
}

for (const suite of suites) {
  if (pathParts.length > 0 && suite.command) continue;
  await runSuite(suite, { root: resolve(import.meta.dirname, '..'), pathParts, report });
}
finish();

function finish(remark?: string): void {
  const { passed, failed, skipped } = report.totals;
  if (skipped > 0) process.stdout.write(`\n${skipped} skipped, each for the reason given above\n`);
  if (remark) process.stdout.write(`\n${remark}\n`);
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
