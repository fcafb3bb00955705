import type { UserError } from '#contract/errors.ts';
import { decodeAttached, encodeAttachOpen } from '#contract/guest/command-messages.ts';
import { decodeExecStarted, encodeExecOpen } from '#contract/guest/exec-messages.ts';
import type { GuestFailure } from '#contract/guest/guest-error.ts';
import { attachRequestSchema } from '#contract/owner/command.ts';
import { execRequestSchema, type ExecRequest } from '#contract/owner/exec.ts';
import { commandError, execError } from '#guest/guest-errors.ts';
import { parseOpenRequest } from './open-request.ts';

/** What a client wants to be joined to: how its `OPEN` and the guest's `OPENED` and `ERROR` are translated. */
export interface RelayedOperation {
  /** Of the client's JSON. `action` continues "Cannot …". @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE` */
  translateOpen(payload: Uint8Array): { action: string; open: Uint8Array };
  /** To JSON. @throws MalformedError */
  translateOpened(payload: Uint8Array): object;
  toError(action: string, failure: GuestFailure): UserError;
}

/** A command; `complete` adds what the VM gives every command. */
export function relayedExec(complete: (request: ExecRequest) => ExecRequest): RelayedOperation {
  return {
    translateOpen(payload) {
      const request = parseOpenRequest(payload, { schema: execRequestSchema, action: 'run a command' });
      return { action: `run "${request.argv[0] ?? ''}"`, open: encodeExecOpen(complete(request)) };
    },
    translateOpened: decodeExecStarted,
    toError: execError,
  };
}

/** A view of a detached command. */
export function relayedAttach(command: number): RelayedOperation {
  const action = `attach to command ${command}`;
  return {
    translateOpen(payload) {
      const request = parseOpenRequest(payload, { schema: attachRequestSchema, action });
      return { action, open: encodeAttachOpen(command, request) };
    },
    translateOpened: decodeAttached,
    toError: commandError,
  };
}
