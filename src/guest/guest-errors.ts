import { isTimeout, raceAbort } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { ErrorCode } from '#contract/errors.ts';
import type { GuestErrorCode, GuestFailure } from '#contract/guest/guest-error.ts';
import type { MalformedError } from '#contract/guest/malformed.ts';

const EXEC_CODES: Partial<Record<GuestErrorCode, ErrorCode>> = {
  NOT_FOUND: 'COMMAND_NOT_FOUND',
  DENIED: 'COMMAND_NOT_EXECUTABLE',
};

/** `action` continues "Cannot …": `run "ls"`. */
export function operationError(action: string, failure: GuestFailure): UserError {
  return failureError('GUEST_OPERATION_FAILED', action, failure);
}

export function execError(action: string, failure: GuestFailure): UserError {
  return failureError(EXEC_CODES[failure.code] ?? 'GUEST_OPERATION_FAILED', action, failure);
}

const COMMAND_CODES: Partial<Record<GuestErrorCode, ErrorCode>> = {
  NOT_FOUND: 'DETACHED_COMMAND_NOT_FOUND',
  BUSY: 'DETACHED_COMMAND_RUNNING',
  REFUSED: 'DETACHED_COMMAND_ENDED',
};

/** Of whatever is about a detached command that was started before. */
export function commandError(action: string, failure: GuestFailure): UserError {
  return failureError(COMMAND_CODES[failure.code] ?? 'GUEST_OPERATION_FAILED', action, failure);
}

export function startCommandError(action: string, failure: GuestFailure): UserError {
  if (failure.code === 'TOO_MANY') return failureError('DETACHED_COMMANDS_FULL', action, failure);
  return execError(action, failure);
}

function failureError(code: ErrorCode, action: string, failure: GuestFailure): UserError {
  const introduction = `Cannot ${action}: `; // the agent may begin in the same way
  const message = failure.message === '' ? failure.code : failure.message;
  const reason = message.startsWith(introduction) ? message.slice(introduction.length) : message;
  const { code: guestCode, errno } = failure;
  // An agent of an older build, in a machine that outlived an upgrade.
  const hint =
    guestCode === 'UNSUPPORTED' ? 'banger vm restart gives the VM the agent of this build' : undefined;
  return new UserError(code, `${introduction}${reason}`, {
    hint,
    details: { guestCode, ...(errno === undefined ? {} : { errno }) },
  });
}

export function protocolError(cause: MalformedError): UserError {
  return new UserError('GUEST_PROTOCOL', `Cannot talk to the guest: it sent ${cause.message}`, {
    hint: 'stop the VM if you do not trust what runs in it',
    cause,
  });
}

export function linkLostError(cause?: unknown): UserError {
  return new UserError('GUEST_LINK_LOST', 'Cannot talk to the guest: the link to it is gone', {
    hint: 'banger vm list shows whether the VM still runs',
    cause,
  });
}

export function givenUpError(action: string): UserError {
  return new UserError('OPERATION_CANCELLED', `Cannot ${action}: it was given up`);
}

/**
 * Waits for an answer of the guest no longer than the signal allows.
 *
 * @throws UserError `GUEST_NOT_ANSWERING` when the signal is a deadline that passed; its reason when it aborts otherwise
 */
export async function awaitGuest<T>(
  answer: Promise<T>,
  action: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    return await raceAbort(answer, signal);
  } catch (error) {
    if (signal?.aborted && error === signal.reason && isTimeout(error))
      throw notAnsweringError(action, error);
    throw error;
  }
}

export function notAnsweringError(action: string, cause?: unknown): UserError {
  return new UserError('GUEST_NOT_ANSWERING', `Cannot ${action}: the guest did not answer in time`, {
    hint: 'banger vm logs shows its console',
    cause,
  });
}
