import { buildCommand } from '@stricli/core';
import { isUserError, type UserError } from '#contract/errors.ts';
import type { DoctorReport, DoctorRow } from '#contract/owner/host.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../output/error.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { jsonFlag } from '../parameters.ts';

interface Flags {
  readonly json: boolean;
}

async function runDoctor(this: CliContext, { json }: Flags): Promise<void> {
  const report = await examine(this);
  if (json) this.output.json(report);
  else for (const row of report.rows) printRow(this, row);
  if (report.rows.some((row) => row.status === 'fail')) this.exitStatus = EXIT.bug;
}

/** A daemon that does not start is a finding, not a failure of the examination. */
async function examine(context: CliContext): Promise<DoctorReport> {
  try {
    using client = await context.connect();
    return await client.doctor();
  } catch (error) {
    if (isUserError(error)) return { rows: [daemonRow(error)] };
    throw error;
  }
}

function daemonRow({ code, message, hint, details }: UserError): DoctorRow {
  const log = typeof details?.['log'] === 'string' ? `\n${details['log'].trimEnd()}` : '';
  return { check: 'daemon', status: 'fail', message: `${message} [${code}]${log}`, hint };
}

const MARKS = {
  pass: (style: Style) => style.good('PASS'),
  warn: (style: Style) => style.warning('WARN'),
  fail: (style: Style) => style.bad('FAIL'),
};

function printRow({ output }: CliContext, row: DoctorRow): void {
  const indent = ' '.repeat(6);
  output.line(
    `${MARKS[row.status](output.style)}  ${row.check}: ${printable(row.message).replaceAll('\n', `\n${indent}`)}`,
  );
  if (row.hint !== undefined) output.line(`${indent}${output.style.dim(`hint: ${printable(row.hint)}`)}`);
}

export const doctorCommand = buildCommand({
  func: runDoctor,
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'Check that this machine has what banger needs',
    fullDescription: `Check everything that banger needs of this machine. A row that says FAIL has a hint; exit status 1 when there is one.

  banger doctor
  banger doctor --json`,
  },
});
