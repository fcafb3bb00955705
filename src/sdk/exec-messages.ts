import { UserError } from '#contract/errors.ts';
import type { Attached } from '#contract/owner/command.ts';
import type { ExecResult, ExecStarted } from '#contract/owner/exec.ts';
import { isRecord, parseErrorBody } from './error-body.ts';

/** Read by hand, because zod costs more to load than the whole command takes. */
export function parseStarted(payload: Uint8Array): ExecStarted {
  const message = parseJson(payload);
  const pid = isRecord(message) ? message['pid'] : undefined;
  if (isInteger(pid)) return { pid };
  throw unreadable('the start of the command');
}

export function parseAttached(payload: Uint8Array): Attached {
  const message = parseJson(payload);
  if (isRecord(message)) {
    const { pid, fromByte, tty, takesInput } = message;
    const isSaid = isInteger(pid) && isInteger(fromByte);
    if (isSaid && typeof tty === 'boolean' && typeof takesInput === 'boolean')
      return { pid, fromByte, tty, takesInput };
  }
  throw unreadable('how the command runs');
}

export function parseResult(payload: Uint8Array): ExecResult {
  const message = parseJson(payload);
  if (isRecord(message)) {
    const { exitCode, signal } = message;
    if (isInteger(exitCode)) return { exitCode };
    if (isInteger(signal)) return { signal };
  }
  throw unreadable('the result of the command');
}

export function parseFailure(payload: Uint8Array): UserError {
  return parseErrorBody(parseJson(payload), 'Cannot run a command');
}

function parseJson(payload: Uint8Array): unknown {
  return JSON.parse(
    Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'),
  ) as unknown;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function unreadable(what: string): UserError {
  return new UserError(
    'INTERNAL',
    `Cannot follow the command: the daemon told ${what} in a way that cannot be read`,
  );
}
