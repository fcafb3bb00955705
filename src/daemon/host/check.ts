import type { Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import { isUserError } from '#contract/errors.ts';
import type { DoctorFix, DoctorReport, DoctorRow } from '#contract/owner/host.ts';

/** Something safe that puts a finding right. */
export interface Fix {
  /** What was done, once it is: `made /home/ada/.local/state/banger private`. */
  action: string;
  apply(): Promise<void>;
}

export interface Verdict extends Omit<DoctorRow, 'check'> {
  fixes?: readonly Fix[];
}

/** One thing that is looked at; a check that throws is a failing row. */
export interface Check {
  /** Stable: `kvm`, `disk-space`, … */
  name: string;
  examine(options: Abortable): Verdict | Promise<Verdict>;
}

export const FIX_HINT = 'banger doctor --fix';

export function pass(message: string): Verdict {
  return { status: 'pass', message };
}

export function warn(message: string, hint: string): Verdict {
  return { status: 'warn', message, hint };
}

export function fail(message: string, hint: string): Verdict {
  return { status: 'fail', message, hint };
}

/** For a row that cannot be told because of what another row says already. */
export async function unlessRefused(
  examine: () => Verdict | Promise<Verdict>,
  other: string,
): Promise<Verdict> {
  try {
    return await examine();
  } catch (error) {
    if (!isUserError(error)) throw error;
    return warn('cannot be told', `see the row ${other}`);
  }
}

const GRAVITY = { pass: 0, warn: 1, fail: 2 };

/** One row for several findings: as grave as the gravest, whose hint it has. Without findings it passes. */
export function combine(findings: readonly Verdict[], fine: string): Verdict {
  const [gravest] = findings.toSorted((a, b) => GRAVITY[b.status] - GRAVITY[a.status]);
  if (!gravest) return pass(fine);
  const fixes = findings.flatMap((finding) => finding.fixes ?? []);
  return {
    ...gravest,
    message: findings.map(({ message }) => message).join('; '),
    ...(fixes.length > 0 && { fixes }),
  };
}

/** Looks at everything; no check hides another. */
export async function examineAll(checks: readonly Check[], options: Abortable): Promise<DoctorReport> {
  const rows = checks.map(async (check): Promise<DoctorRow> => {
    const { fixes: _, ...verdict } = await examineSafely(check, options);
    return { check: check.name, ...verdict };
  });
  return { rows: await Promise.all(rows) };
}

/** Puts right what is safe to put right, in the order of the checks. */
export async function fixAll(checks: readonly Check[], options: Abortable): Promise<DoctorFix[]> {
  const done: DoctorFix[] = [];
  for (const check of checks) {
    const { fixes = [] } = await examineSafely(check, options);
    for (const fix of fixes) done.push({ check: check.name, action: fix.action, ...(await attempt(fix)) });
  }
  return done;
}

async function attempt(fix: Fix): Promise<{ error?: string }> {
  try {
    await fix.apply();
    return {};
  } catch (error) {
    return { error: messageOf(error) };
  }
}

async function examineSafely(check: Check, options: Abortable): Promise<Verdict> {
  try {
    return await check.examine(options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const hint = isUserError(error) ? error.hint : undefined;
    return { status: 'fail', message: messageOf(error), ...(hint !== undefined && { hint }) };
  }
}
