import { isUserError, type ErrorCode } from '#contract/errors.ts';
import { messageOf } from '#base/errors.ts';
import { Interruption } from '../interruption.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

export const EXIT = { ok: 0, bug: 1, usage: 2, failure: 3, unreachable: 4 } as const;

/** A failure as the user sees it, whatever was thrown. */
export interface ShownError {
  code: string;
  message: string;
  hint?: string | undefined;
  operationId?: string | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
  /** Only of a bug. */
  stack?: string | undefined;
}

const EXIT_BY_CODE: Partial<Record<ErrorCode, number>> = {
  INTERNAL: EXIT.bug,
  USAGE: EXIT.usage,
  INVALID_ARGUMENT: EXIT.usage,
  INVALID_NAME: EXIT.usage,
  CONFIG_KEY_UNKNOWN: EXIT.usage,
  CONFIG_VALUE_INVALID: EXIT.usage,
  DAEMON_UNREACHABLE: EXIT.unreachable,
  DAEMON_START_FAILED: EXIT.unreachable,
};

export function exitStatusOf(error: unknown): number {
  if (error instanceof Interruption) return error.exitStatus;
  if (isUserError(error)) return EXIT_BY_CODE[error.code] ?? EXIT.failure;
  return EXIT.bug;
}

export function describeError(error: unknown): ShownError {
  if (!isUserError(error)) {
    return {
      code: error instanceof Interruption ? 'INTERRUPTED' : 'INTERNAL',
      message: messageOf(error),
      ...(error instanceof Interruption
        ? {}
        : {
            hint: 'this is a bug in banger: please report it',
            stack: error instanceof Error ? error.stack : undefined,
          }),
    };
  }
  const { operationId, ...details } = error.details ?? {};
  return {
    code: error.code,
    message: error.message,
    hint: error.hint,
    operationId: typeof operationId === 'string' ? operationId : undefined,
    details: Object.keys(details).length > 0 ? details : undefined,
  };
}

/** The lines for a person; ends with a line break. */
export function formatError(error: unknown, style: Style): string {
  const shown = describeError(error);
  if (error instanceof Interruption) return `banger: ${shown.message}\n`;
  const lines = [
    `${style.bad('banger: error:')} ${printable(shown.message)} ${style.dim(`[${shown.code}]`)}`,
  ];
  for (const [name, value] of Object.entries(shown.details ?? {})) lines.push(...formatDetail(name, value));
  if (shown.stack !== undefined) lines.push(...indent(shown.stack, 2));
  if (shown.hint !== undefined) lines.push(`${style.warning('hint:')} ${printable(shown.hint)}`);
  if (shown.operationId !== undefined) lines.push(style.dim(`(${shown.operationId})`));
  return `${lines.join('\n')}\n`;
}

/** One JSON document for a program; ends with a line break. */
export function formatJsonError(error: unknown): string {
  const { stack: _, ...shown } = describeError(error);
  return `${JSON.stringify({ error: shown })}\n`;
}

function formatDetail(name: string, value: unknown): string[] {
  if (value === undefined || value === null || value === '') return [];
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  const text = isList
    ? value.join(', ')
    : typeof value === 'string'
      ? value.trimEnd()
      : JSON.stringify(value);
  if (!text.includes('\n')) return [`  ${name}: ${printable(text)}`];
  return [`  ${name}:`, ...indent(text, 4)];
}

function indent(text: string, spaces: number): string[] {
  return printable(text)
    .split('\n')
    .map((line) => `${' '.repeat(spaces)}${line}`);
}
