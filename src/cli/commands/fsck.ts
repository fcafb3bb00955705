import { buildCommand } from '@stricli/core';
import type { Finding, FsckRepairReport } from '#contract/owner/fsck.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../output/error.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { jsonFlag, onOff } from '../parameters.ts';

interface Flags {
  readonly repair: boolean;
  readonly json: boolean;
}

async function runFsck(this: CliContext, { repair, json }: Flags): Promise<void> {
  using client = await this.connect();
  const report = repair ? await client.fsck.repair() : await client.fsck.check();
  const remaining = 'findings' in report ? report.findings : report.remaining;
  if (json) this.output.json(report);
  else if ('findings' in report) printFindings(this, report.findings);
  else printRepairs(this, report);
  if (!json && remaining.length === 0) this.output.note('everything is as the store says');
  if (remaining.some(({ severity }) => severity !== 'info')) this.exitStatus = EXIT.failure;
}

function printFindings(context: CliContext, findings: readonly Finding[]): void {
  for (const finding of findings) {
    printFinding(context, finding);
    if (finding.repair !== undefined) printDetail(context, `--repair ${finding.repair}`);
    if (finding.hint !== undefined) printDetail(context, `hint: ${finding.hint}`);
  }
}

function printRepairs(context: CliContext, { repaired, failed, remaining }: FsckRepairReport): void {
  const { output } = context;
  for (const finding of repaired) output.line(`${output.style.good('REPAIRED')}  ${describe(finding)}`);
  for (const { finding, message } of failed) {
    output.line(`${output.style.bad('FAILED')}    ${describe(finding)}`);
    printDetail(context, message);
  }
  printFindings(context, remaining);
}

const MARKS: Record<Finding['severity'], (style: Style) => string> = {
  info: (style) => style.dim('INFO    '),
  leftover: (style) => style.warning('LEFTOVER'),
  damage: (style) => style.bad('DAMAGE  '),
};

function printFinding({ output }: CliContext, finding: Finding): void {
  output.line(`${MARKS[finding.severity](output.style)}  ${describe(finding)}`);
}

function printDetail({ output }: CliContext, text: string): void {
  output.line(`${' '.repeat(10)}${output.style.dim(printable(text))}`);
}

/** `machine-without-vm: VM demo, process 4711: its VM is stopped` */
function describe({ kind, vm, pid, path, reason }: Finding): string {
  const about = [
    vm && `VM ${vm.name ?? vm.id}`,
    pid !== undefined && `process ${pid}`,
    path !== undefined && path,
  ].filter(Boolean);
  return printable(`${kind}: ${about.join(', ')}: ${reason}`);
}

export const fsckCommand = buildCommand({
  func: runFsck,
  parameters: {
    flags: { repair: onOff('Repair what can be, as each finding says'), json: jsonFlag },
  },
  docs: {
    brief: 'Find and repair leftovers and damage',
    fullDescription: `Compare what banger's store says with the processes and files that are really there, and list every leftover and every damage, with
why it is one. VMs that something works on are left out. Nothing is changed without --repair, which never removes a finished disk: it is
moved to orphans/ in the state folder. Exit status 3 while something is left or damaged.

  banger fsck
  banger fsck --repair
  banger fsck --json`,
  },
});
