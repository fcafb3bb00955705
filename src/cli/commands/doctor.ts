import { buildCommand } from '@stricli/core';
import type { DoctorFix, DoctorRow } from '#contract/owner/host.ts';
import type { CliContext } from '../context.ts';
import { examine, fixFindings } from '../examine.ts';
import { EXIT } from '../output/error.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { jsonFlag, onOff } from '../parameters.ts';

interface Flags {
  readonly fix: boolean;
  readonly json: boolean;
}

async function runDoctor(this: CliContext, { fix, json }: Flags): Promise<void> {
  const fixes = fix ? await fixFindings(this) : [];
  if (!json) for (const done of fixes) printFix(this, done);
  const rows = await examine(this);
  if (json) this.output.json(fix ? { rows, fixes } : { rows });
  else for (const row of rows) printRow(this, row);
  if (rows.some((row) => row.status === 'fail')) this.exitStatus = EXIT.bug;
}

const MARKS = {
  pass: (style: Style) => style.good('PASS'),
  warn: (style: Style) => style.warning('WARN'),
  fail: (style: Style) => style.bad('FAIL'),
};

const INDENT = ' '.repeat(6);

function printFix({ output }: CliContext, { check, action, error }: DoctorFix): void {
  const mark = error === undefined ? output.style.good('DONE') : output.style.bad('FAIL');
  output.line(`${mark}  ${check}: ${printable(action)}${error === undefined ? '' : `: ${printable(error)}`}`);
}

function printRow({ output }: CliContext, row: DoctorRow): void {
  const message = printable(row.message).replaceAll('\n', `\n${INDENT}`);
  output.line(`${MARKS[row.status](output.style)}  ${row.check}: ${message}`);
  if (row.hint !== undefined) output.line(`${INDENT}${output.style.dim(`hint: ${printable(row.hint)}`)}`);
}

export const doctorCommand = buildCommand({
  func: runDoctor,
  parameters: {
    flags: { fix: onOff('First put right what is safe to put right, and say what'), json: jsonFlag },
  },
  docs: {
    brief: 'Check that this machine has what banger needs',
    fullDescription: `Check everything that banger needs of this machine. A row that says FAIL has a hint; exit status 1 when there is one.
With --fix modes of our own files and folders are put right, what killed programs left is removed, and a daemon of another build is replaced. It installs nothing and touches no VM.

  banger doctor
  banger doctor --fix
  banger doctor --json`,
  },
});
