import type { Abortable } from '#base/abort.ts';
import type { UserError } from '#contract/errors.ts';
import type { GuestFailure } from '#contract/guest/guest-error.ts';
import { OperationChannel } from './operation-channel.ts';
import type { AgentSession } from './session.ts';

/** An operation that moves no streams: one `OPEN`, one answer. */
export interface GuestQuestion<Result> {
  /** Continues "Cannot …" in errors. */
  action: string;
  open: Uint8Array;
  decode: (payload: Uint8Array) => Result;
  toError: (action: string, failure: GuestFailure) => UserError;
}

export function askGuest<Result>(
  session: AgentSession,
  question: GuestQuestion<Result>,
  options: Abortable,
): Promise<Result> {
  const { action, open, toError } = question;
  return new OperationChannel(session, {
    action,
    open,
    abandonedInput: 'close',
    decodeOpened: () => {},
    decodeResult: question.decode,
    toError,
  }).waitResult(options);
}
