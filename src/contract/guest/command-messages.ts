import type {
  Attached,
  AttachRequest,
  DetachedCommand,
  StartCommandRequest,
  StartedCommand,
} from '../owner/command.ts';
import { decodeExecOpen, decodeExecResult, encodeExecResult, execFields } from './exec-messages.ts';
import { Fields, FieldsBuilder } from './fields.ts';
import { buildOpen, openFields, Operation } from './open.ts';
import { plainText } from './plain-text.ts';
import { timeOf } from './time-of.ts';

const MAX_WORD_LENGTH = 512;

/**
 * `OPEN` of a command that is started detached.
 *
 * @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE`
 */
export function encodeCommandStartOpen(request: StartCommandRequest): Uint8Array {
  const fields = execFields(Operation.COMMAND_START, request).u32(9, request.stdin ? 1 : 0);
  return buildOpen(fields, `"${request.argv[0]}"`);
}

/** @throws MalformedError */
export function decodeCommandStartOpen(payload: Uint8Array): StartCommandRequest {
  return { ...decodeExecOpen(payload), stdin: new Fields(payload).number(9) === 1 };
}

export function encodeStartedCommand({ id, pid }: StartedCommand): Uint8Array {
  return new FieldsBuilder().u32(1, pid).u32(2, id).build();
}

/** @throws MalformedError */
export function decodeStartedCommand(payload: Uint8Array): StartedCommand {
  const fields = new Fields(payload);
  return { pid: fields.requireNumber(1), id: fields.requireNumber(2) };
}

/** `OPEN` of what is about one command and nothing else: remove. */
export function encodeCommandOpen(operation: Operation, id: number): Uint8Array {
  return openFields(operation).u32(2, id).build();
}

export function encodeCommandSignalOpen(id: number, signal: number): Uint8Array {
  return openFields(Operation.COMMAND_SIGNAL).u32(2, id).u32(3, signal).build();
}

/** @throws MalformedError */
export function decodeCommandOpen(payload: Uint8Array): { id: number; signal: number | undefined } {
  const fields = new Fields(payload);
  return { id: fields.requireNumber(2), signal: fields.number(3) };
}

export function encodeAttachOpen(id: number, request: AttachRequest): Uint8Array {
  const fields = openFields(Operation.COMMAND_ATTACH).u32(2, id);
  if (request.fromByte !== undefined) fields.u64(3, request.fromByte);
  if (request.tailLines !== undefined) fields.u64(4, request.tailLines);
  fields.u32(5, request.stdin ? 1 : 0);
  if (request.rows !== undefined) fields.u32(6, request.rows);
  if (request.columns !== undefined) fields.u32(7, request.columns);
  return fields.build();
}

/** @throws MalformedError */
export function decodeAttachOpen(payload: Uint8Array): AttachRequest & { id: number } {
  const fields = new Fields(payload);
  const [fromByte, tailLines, rows, columns] = [3, 4, 6, 7].map((tag) => fields.number(tag));
  return {
    id: fields.requireNumber(2),
    stdin: fields.number(5) === 1,
    ...(fromByte === undefined ? {} : { fromByte }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(rows === undefined ? {} : { rows }),
    ...(columns === undefined ? {} : { columns }),
  };
}

export function encodeAttached({ pid, fromByte, tty, takesInput }: Attached): Uint8Array {
  const fields = new FieldsBuilder().u32(1, pid).u64(2, fromByte);
  return fields.u32(3, Number(tty)).u32(4, Number(takesInput)).build();
}

/** @throws MalformedError */
export function decodeAttached(payload: Uint8Array): Attached {
  const fields = new Fields(payload);
  return {
    pid: fields.requireNumber(1),
    fromByte: fields.requireNumber(2),
    tty: fields.number(3) === 1,
    takesInput: fields.number(4) === 1,
  };
}

export function encodeCommandList(commands: readonly DetachedCommand[]): Uint8Array {
  const fields = new FieldsBuilder();
  for (const command of commands) fields.bytes(1, encodeCommand(command));
  return fields.build();
}

function encodeCommand(command: DetachedCommand): Uint8Array {
  const fields = new FieldsBuilder().u32(1, command.id);
  for (const word of command.argv) fields.text(2, word);
  fields.u32(3, command.pid).u64(4, Date.parse(command.startedAt));
  if (command.user !== undefined) fields.text(5, command.user);
  fields.u32(6, Number(command.tty)).u32(7, Number(command.isArgvCut));
  fields.u64(8, command.keptFromByte).u64(9, command.outputBytes);
  fields.u32(10, command.viewers).u32(11, Number(command.takesInput));
  if (command.endedAt === undefined) return fields.build();
  return fields.u64(12, Date.parse(command.endedAt)).bytes(13, encodeExecResult(command)).build();
}

/** @throws MalformedError */
export function decodeCommandList(payload: Uint8Array): DetachedCommand[] {
  return new Fields(payload).all(1).map((entry) => decodeCommand(new Fields(entry)));
}

function decodeCommand(fields: Fields): DetachedCommand {
  const user = fields.text(5);
  const result = fields.bytes(13);
  const ending =
    result === undefined
      ? { status: 'running' as const }
      : { status: 'exited' as const, endedAt: timeOf(fields, 12), ...decodeExecResult(result) };
  return {
    id: fields.requireNumber(1),
    pid: fields.requireNumber(3),
    argv: fields.texts(2).map((word) => plainText(word, MAX_WORD_LENGTH)),
    isArgvCut: fields.number(7) === 1,
    ...(user === undefined ? {} : { user: plainText(user, MAX_WORD_LENGTH) }),
    tty: fields.number(6) === 1,
    takesInput: fields.number(11) === 1,
    ...ending,
    startedAt: timeOf(fields, 4),
    outputBytes: fields.requireNumber(9),
    keptFromByte: fields.requireNumber(8),
    viewers: fields.number(10) ?? 0,
  };
}
