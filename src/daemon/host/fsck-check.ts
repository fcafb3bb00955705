import type { FsckReport } from '#contract/owner/fsck.ts';
import { fail, pass, warn, type Check, type Verdict } from './check.ts';

/** Whether what is there is what the store says. */
export function fsckCheck(fsck: { check(): Promise<FsckReport> }): Check {
  return { name: 'leftovers', examine: async () => judgeFindings((await fsck.check()).findings) };
}

function judgeFindings(findings: FsckReport['findings']): Verdict {
  const damaged = findings.filter(({ severity }) => severity === 'damage').length;
  const left = findings.filter(({ severity }) => severity === 'leftover').length;
  if (damaged > 0)
    return fail(
      `${damaged} damaged, ${left} left over`,
      'banger fsck says what, banger fsck --repair repairs it',
    );
  if (left > 0) return warn(`${left} left over`, 'banger fsck says what, banger fsck --repair removes it');
  return pass('everything is as the store says');
}
