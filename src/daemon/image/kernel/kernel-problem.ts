import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';

/** What was given is no kernel that a VM can boot. `what` completes "Cannot use …". */
export function unusableKernel(
  what: string,
  condition: string,
  options: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {},
): UserError {
  const hint = 'see docs/kernels.md for what a kernel needs';
  return new UserError('KERNEL_INVALID', `Cannot use ${what} as a kernel: ${condition}`, {
    hint,
    ...options,
  });
}

const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EISDIR'];

/** What it means that a file of the user's cannot be read. Other errors are returned as they are. */
export function explainUnreadable(error: unknown, what: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined || !UNREADABLE.includes(code)) return error;
  const why = code === 'ENOENT' ? 'it is not there' : `it cannot be read (${code})`;
  return unusableKernel(what, why, { cause: error });
}
