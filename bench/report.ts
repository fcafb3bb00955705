import type { Distribution } from './percentiles.ts';

/** One figure beside what it is measured against, both from the same run. */
export interface Row {
  name: string;
  unit: 'ms' | 'MiB/s' | 'MiB';
  floorName: string;
  floor: Distribution;
  ours: Distribution;
  /** Of the medians: ours / floor. */
  ratio: number;
  /** What ours may be at the median (at least or at most), in the unit. */
  limit: number;
  rule: string;
  met: boolean;
}

export interface Measured {
  name: string;
  unit: Row['unit'];
  floorName: string;
  floor: Distribution;
  ours: Distribution;
}

/** The goal is a share of the floor. */
export function ratioRow(measured: Measured, goal: { atMost: number } | { atLeast: number }): Row {
  const factor = 'atMost' in goal ? goal.atMost : goal.atLeast;
  const sign = 'atMost' in goal ? '<=' : '>=';
  return makeRow(measured, { limit: factor * measured.floor.p50, sign, rule: `${sign} ${factor} x floor` });
}

/** The goal is a figure of its own, or one made of several floors. */
export function limitRow(measured: Measured, limit: number, rule: string): Row {
  return makeRow(measured, { limit, sign: '<=', rule });
}

function makeRow(measured: Measured, goal: { limit: number; sign: '<=' | '>='; rule: string }): Row {
  const ours = measured.ours.p50;
  return {
    ...measured,
    ratio: ours / measured.floor.p50,
    limit: goal.limit,
    rule: goal.rule,
    met: goal.sign === '<=' ? ours <= goal.limit : ours >= goal.limit,
  };
}

export function formatRows(rows: readonly Row[]): string {
  const header = ['figure', 'floor', 'floor p50/p95', 'ours p50/p95', 'ratio', 'goal', ''];
  const lines = rows.map((row) => [
    row.name,
    row.floorName,
    formatDistribution(row.floor, row.unit),
    formatDistribution(row.ours, row.unit),
    row.ratio.toFixed(2),
    `${row.rule} (${digits(row.limit)} ${row.unit})`,
    row.met ? 'met' : 'MISSED',
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  return [header, ...lines]
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatDistribution({ p50, p95, count }: Distribution, unit: string): string {
  return `${digits(p50)} / ${digits(p95)} ${unit} (n=${count})`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
