import { parseDuration } from '#base/durations.ts';
import { MiB, parseSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';

interface OnOffFlag {
  readonly kind: 'boolean';
  readonly brief: string;
  readonly default: false;
  readonly withNegated: false;
}

/** A flag without a value, off unless it is given. */
export function onOff(brief: string): OnOffFlag {
  return { kind: 'boolean', brief, default: false, withNegated: false };
}

/** Of everything that grows while it is read. */
export const followFlag = onOff('Go on with what comes, until Ctrl-C');

/** The same everywhere. */
export const jsonFlag = onOff('Print one JSON document');

/** A plain number is MiB, as memory is spoken of. */
export function parseMemory(text: string): number {
  const bytes = /^\d+$/.test(text) ? Number(text) * MiB : parseSize(text);
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes % MiB === 0) return bytes / MiB;
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot use "${text}" as memory size: it is not a whole number of MiB`,
    {
      hint: 'write a size such as 512M or 2G',
    },
  );
}

/** Takes no plain number: for a disk it could mean anything. */
export function parseDiskSize(text: string): number {
  const bytes = /^\d+$/.test(text) ? undefined : parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot use "${text}" as disk size: it is not a number with a unit`,
    {
      hint: 'write a size such as 8G or 20GiB',
    },
  );
}

export function parseVcpus(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot use "${text}" as number of vCPUs: it is not a whole number above 0`,
    {
      hint: 'write a number such as 2',
    },
  );
}

export function parseLineCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot use "${text}" as number of lines: it is not a whole number`,
    {
      hint: 'write a number such as 100',
    },
  );
}

/** A plain number is seconds. */
export function parseTimeout(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot use "${text}" as time: it is not a number of seconds or a duration`,
    {
      hint: 'write a time such as 30s, 2m or 500ms',
    },
  );
}

/** A name, an id, or the beginning of one; what starts with a dash was meant as a flag. */
export function parseVmReference(text: string): string {
  if (text === '') {
    throw new UserError('USAGE', 'Cannot find a VM: the name is empty', { hint: 'run `banger vm list`' });
  }
  if (text.startsWith('-')) throw new UserError('USAGE', `Cannot read "${text}": there is no such flag`);
  return text;
}

/** A parser of one of a few words. */
export function buildChoice<T extends string>(what: string, choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((known) => known === text);
    if (choice !== undefined) return choice;
    throw new UserError('USAGE', `Cannot use "${text}" as ${what}: it is not one of ${choices.join(', ')}`);
  };
}
