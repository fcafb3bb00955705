import { lastLines, CommandError } from '#host/run-command.ts';
import { systemErrorCode } from '#base/errors.ts';
import { UserError, type ErrorCode } from '#contract/errors.ts';

export interface FailedStep {
  /** Completes "Cannot …": `make the file system "/x/rootfs.ext4"`. */
  action: string;
  /** The code when the tool failed for a reason of its own. */
  code: ErrorCode;
  hint: string;
  /** What the tool printed, when its own streams do not hold the reason. */
  output?: string;
}

const DISK_FULL =
  /no space left on device|not enough (?:free )?(?:disk )?space|enough free space|disk quota exceeded/i;
const REPORTED_LINES = 12;
const ERROR_LINE = /^(?:E|dpkg: error|W): |error|cannot|could not|failed|unable/i;

/** What a failed build step means for the user. Errors that are not a tool's are returned as they are. */
export function explainToolFailure(error: unknown, step: FailedStep): unknown {
  const systemCode = systemErrorCode(error);
  if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT') return diskFull(error, step);
  if (!(error instanceof CommandError)) return error;
  const output = [step.output ?? error.stdout, error.stderr].join('\n').trim();
  if (DISK_FULL.test(output)) return diskFull(error, step);
  const why = error.terminatedBy ? `was ended by ${error.terminatedBy}` : `failed (status ${error.exitCode})`;
  const tail = lastLines(output, REPORTED_LINES);
  const message = `Cannot ${step.action}: ${likelyReason(tail) || `the tool ${why}`}`;
  return new UserError(step.code, message, { hint: step.hint, details: { output: tail }, cause: error });
}

function diskFull(cause: unknown, step: FailedStep): UserError {
  return new UserError('HOST_DISK_FULL', `Cannot ${step.action}: the disk is full`, {
    hint: 'free some space, or delete VMs that are not needed (banger vm delete)',
    cause,
  });
}

/** The line that most likely says why: the first error in what is shown, for the later ones follow from it. */
function likelyReason(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const reason = lines.find((line) => ERROR_LINE.test(line)) ?? lines.at(-1) ?? '';
  return reason
    .trim()
    .replace(/^[EW]: /, '')
    .replace(/\.$/, '');
}
