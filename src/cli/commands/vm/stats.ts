import { buildCommand } from '@stricli/core';
import { delay } from '#base/backoff.ts';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { type MeasuredVm, measureVms } from '../../measure-vms.ts';
import { EXIT, describeError, formatError } from '../../output/error.ts';
import { reportFailure } from '../../output/report.ts';
import { Screen } from '../../output/screen.ts';
import { onOff, parseTimeout } from '../../parameters.ts';
import { STATS_HEAD, toStatsRow } from '../../stats-row.ts';
import { vmParameter } from './vm-parameter.ts';

interface Flags {
  readonly watch: boolean;
  readonly interval?: number;
  readonly json: boolean;
}

const DEFAULT_INTERVAL_MS = 2000;
const MIN_INTERVAL_MS = 500;

async function printVmStats(this: CliContext, flags: Flags, ...references: string[]): Promise<void> {
  using client = await this.connect();
  if (flags.watch) {
    const leaving = new AbortController();
    void this.output.stdout.broken.then(() => leaving.abort());
    const show = flags.json ? printJsonLines : chooseTable(this);
    try {
      for (;;) {
        await show(this, await measureVms(client, references, { signal: leaving.signal }));
        await delay(flags.interval ?? DEFAULT_INTERVAL_MS, { signal: leaving.signal });
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
      return;
    }
  }
  const measured = await measureVms(client, references, {});
  if (measured.some((one) => 'error' in one)) this.exitStatus = EXIT.failure;
  if (flags.json) this.output.json(measured.map(toJson));
  else await printTable(this, measured);
}

/** Over the last one on a terminal, one after another elsewhere. */
function chooseTable(context: CliContext): typeof printTable {
  if (!context.output.stdout.isTTY) return printTable;
  const screen = new Screen(context.output.stdout);
  return async ({ output }, measured) => {
    const { formatTable } = await import('../../output/table.ts');
    const table = formatTable(STATS_HEAD.map(output.style.dim), rowsOf(measured));
    const failures = measured.map((one) => ('error' in one ? formatError(one.error, output.style) : ''));
    screen.draw(table + failures.join(''));
  };
}

async function printTable({ output }: CliContext, measured: readonly MeasuredVm[]): Promise<void> {
  await output.table(STATS_HEAD, rowsOf(measured));
  for (const one of measured) if ('error' in one) reportFailure(one.error, { output, json: false });
}

async function printJsonLines({ output }: CliContext, measured: readonly MeasuredVm[]): Promise<void> {
  for (const one of measured) output.line(JSON.stringify(toJson(one)));
}

function rowsOf(measured: readonly MeasuredVm[]): string[][] {
  return measured.flatMap((one) => ('stats' in one ? [toStatsRow(one.stats)] : []));
}

function toJson(one: MeasuredVm): object {
  if ('stats' in one) return one.stats;
  const { stack: _, ...error } = describeError(one.error);
  return { name: one.name, error };
}

function parseInterval(text: string): number {
  const ms = parseTimeout(text);
  if (ms >= MIN_INTERVAL_MS) return ms;
  throw new UserError('INVALID_ARGUMENT', `Cannot use "${text}" as interval: it is shorter than 500ms`, {
    hint: 'write a time such as 2s',
  });
}

export const vmStatsCommand = buildCommand({
  func: printVmStats,
  parameters: {
    flags: {
      watch: onOff('Go on measuring, until Ctrl-C'),
      interval: {
        kind: 'parsed',
        parse: parseInterval,
        brief: 'How often with --watch: 1s, 500ms; default 2s',
        placeholder: 'time',
        optional: true,
      },
      json: onOff('Print one JSON document; with --watch a line for each VM, again and again'),
    },
    aliases: { w: 'watch' },
    positional: { kind: 'array', parameter: vmParameter },
  },
  docs: {
    brief: 'Show what running VMs use',
    fullDescription: `Show what VMs use at the moment; without a name all that run.

CPU% is of one core of the host, MEM USED what the guest itself takes for used, DISK ALLOC what the VM takes of the host's disk.
A dash is what could not be measured in time, for example in a guest that hangs.

  banger vm stats
  banger vm stats --watch web db
  banger vm stats --json demo`,
  },
});
