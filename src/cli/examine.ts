import { isTimeout, withTimeout } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import { isUserError, type UserError } from '#contract/errors.ts';
import type { DoctorFix, DoctorRow } from '#contract/owner/host.ts';
import { buildLabel, type BuildInfo } from '#contract/version.ts';
import type { CliContext } from './context.ts';
import { stopDaemon } from './stop-daemon.ts';

/** A daemon that hangs is told from one that looks at much. */
const ANSWER_MS = 30_000;

/** What the daemon finds; when it cannot be asked that is a finding too, and the rest is looked at without it. */
export async function examine(context: CliContext, answerMs = ANSWER_MS): Promise<DoctorRow[]> {
  const signal = withTimeout(answerMs);
  try {
    using client = await context.connect();
    return (await client.doctor({ signal })).rows;
  } catch (error) {
    if (!isUserError(error) && !isTimeout(error)) throw error;
    const row = isUserError(error) ? daemonRow(error) : silentRow(answerMs);
    return [row, ...(await examineWithoutDaemon(context, { fix: false })).rows];
  }
}

/** Puts right what is safe to put right. A daemon of another build is stopped: the next command starts that of this one. */
export async function fixFindings(context: CliContext): Promise<DoctorFix[]> {
  const replaced = await stopOtherBuild(context);
  const { rows, fixes } = await examineWithoutDaemon(context, { fix: true });
  const refusal = rows.find(({ check }) => check === EXAMINATION);
  const failed = refusal && {
    check: EXAMINATION,
    action: 'looked for what can be put right',
    error: refusal.message,
  };
  return [...replaced, ...fixes, ...(failed ? [failed] : [])];
}

const EXAMINATION = 'examination';

async function examineWithoutDaemon(
  { openMachine }: CliContext,
  { fix }: { fix: boolean },
): Promise<{ rows: DoctorRow[]; fixes: DoctorFix[] }> {
  const [machine, { examinationSchema }] = await Promise.all([
    openMachine(),
    import('#contract/owner/host.ts'),
  ]);
  try {
    return examinationSchema.parse(await machine.examine({ fix }));
  } catch (error) {
    return {
      rows: [
        {
          check: EXAMINATION,
          status: 'fail',
          message: `this machine cannot be examined: ${messageOf(error)}`,
          hint: 'this is a bug in banger: please report it',
        },
      ],
      fixes: [],
    };
  }
}

async function stopOtherBuild(context: CliContext): Promise<DoctorFix[]> {
  const build = await findRunningBuild(context);
  if (!build || buildLabel(build) === buildLabel()) return [];
  const action = `stopped the daemon of ${buildLabel(build)}, for one of ${buildLabel()}; VMs run on`;
  await stopDaemon(context);
  return [{ check: 'daemon', action }];
}

/** Undefined also of a daemon that does not answer: that it does not is a row of its own. */
async function findRunningBuild(context: CliContext): Promise<BuildInfo | undefined> {
  using client = await context.connectIfRunning();
  try {
    return (await client?.host({ signal: withTimeout(ANSWER_MS) }))?.build;
  } catch (error) {
    if (isUserError(error) || isTimeout(error)) return undefined;
    throw error;
  }
}

function silentRow(answerMs: number): DoctorRow {
  return {
    check: 'daemon',
    status: 'fail',
    message: `the daemon accepts connections but does not answer within ${answerMs / 1000} s`,
    hint: 'banger daemon logs',
  };
}

function daemonRow({ code, message, hint, details }: UserError): DoctorRow {
  const log = typeof details?.['log'] === 'string' ? `\n${details['log'].trimEnd()}` : '';
  const better = code === 'DAEMON_VERSION_MISMATCH' ? 'banger doctor --fix' : hint;
  return { check: 'daemon', status: 'fail', message: `${message} [${code}]${log}`, hint: better };
}
