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

function failureError(code: ErrorCode, action: string, failure: GuestFailure): UserError {
  const reason = failure.message === '' ? failure.code : failure.message;
  const { code: guestCode, errno } = failure;
  return new UserError(code, `Cannot ${action}: ${reason}`, {
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
