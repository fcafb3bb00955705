import { UserError } from '../errors.ts';
import type { ExecRequest, ExecResult } from '../owner/exec.ts';
import { Fields, FieldsBuilder } from './fields.ts';
import { MalformedError } from './malformed.ts';
import { buildOpen, openFields, Operation, withoutNul } from './open.ts';

const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;

/**
 * `OPEN` of exec.
 *
 * @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE`
 */
export function encodeExecOpen(request: ExecRequest): Uint8Array {
  return buildOpen(execFields(Operation.EXEC, request), `"${request.argv[0]}"`);
}

/** The fields of whatever starts a command. @throws UserError `INVALID_ARGUMENT` */
export function execFields(operation: Operation, request: ExecRequest): FieldsBuilder {
  if (request.argv.length === 0 || request.argv[0] === '') {
    throw new UserError('INVALID_ARGUMENT', 'Cannot run a command: it has no name');
  }
  const fields = openFields(operation);
  for (const word of request.argv) fields.text(2, withoutNul(word, 'the argument'));
  for (const [name, value] of Object.entries(request.env ?? {}))
    fields.text(3, environmentEntry(name, value));
  if (request.cwd !== undefined) fields.text(4, withoutNul(request.cwd, 'the working folder'));
  if (request.user !== undefined) fields.text(5, withoutNul(request.user, 'the user'));
  if (request.tty) {
    fields.u32(6, 1);
    fields.u32(7, request.rows ?? DEFAULT_ROWS);
    fields.u32(8, request.columns ?? DEFAULT_COLUMNS);
  }
  return fields;
}

function environmentEntry(name: string, value: string): string {
  if (name === '' || name.includes('=')) {
    throw new UserError('INVALID_ARGUMENT', `Cannot set the variable ${JSON.stringify(name)}: not a name`);
  }
  return withoutNul(`${name}=${value}`, 'the variable');
}

/** @throws MalformedError */
export function decodeExecOpen(payload: Uint8Array): ExecRequest {
  const fields = new Fields(payload);
  const argv = fields.texts(2);
  if (argv.length === 0) throw new MalformedError('exec without argv');
  const [cwd, user, rows, columns] = [fields.text(4), fields.text(5), fields.number(7), fields.number(8)];
  return {
    argv,
    env: Object.fromEntries(fields.texts(3).map(splitEntry)),
    tty: fields.number(6) === 1,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
    ...(rows === undefined ? {} : { rows }),
    ...(columns === undefined ? {} : { columns }),
  };
}

function splitEntry(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

/** `OPENED` of exec. */
export interface ExecStarted {
  pid: number;
}

export function encodeExecStarted(started: ExecStarted): Uint8Array {
  return new FieldsBuilder().u32(1, started.pid).build();
}

/** @throws MalformedError */
export function decodeExecStarted(payload: Uint8Array): ExecStarted {
  return { pid: new Fields(payload).requireNumber(1) };
}

/** `RESULT` of exec. */
export function encodeExecResult(result: ExecResult): Uint8Array {
  const fields = new FieldsBuilder();
  if (result.exitCode !== undefined) fields.u32(1, result.exitCode);
  if (result.signal !== undefined) fields.u32(2, result.signal);
  return fields.build();
}

/** @throws MalformedError unless it has exactly one of status (0 to 255) and signal (1 to 127) */
export function decodeExecResult(payload: Uint8Array): ExecResult {
  const fields = new Fields(payload);
  const exitCode = fields.number(1);
  const signal = fields.number(2);
  if (exitCode !== undefined && signal === undefined && exitCode <= 255) return { exitCode };
  if (exitCode === undefined && signal !== undefined && signal >= 1 && signal <= 127) return { signal };
  throw new MalformedError('the result of a command with neither a status nor a signal');
}
