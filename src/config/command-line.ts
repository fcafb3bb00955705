import type * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import type { WrittenValue } from './config-key.ts';
import { nearestKey } from './key-path.ts';
import { describeKey, isKeyName, type KeyName } from './keys.ts';
import { describeIssues } from './read-file.ts';

/** @throws UserError `CONFIG_KEY_UNKNOWN` naming the nearest one */
export function parseKeyName(text: string): KeyName {
  if (isKeyName(text)) return text;
  const meant = nearestKey(text);
  throw new UserError(
    'CONFIG_KEY_UNKNOWN',
    `Cannot find the configuration key "${text}": there is no such key`,
    {
      hint: meant === undefined ? 'banger config show' : `did you mean "${meant}"?`,
    },
  );
}

/** The value that words of a command line give a key. @throws UserError `CONFIG_VALUE_INVALID` */
export function parseValue(name: KeyName, text: string): WrittenValue {
  const { kind, takes, schema } = describeKey(name);
  const written = kind === 'number' ? Number(text) : kind === 'list' ? splitList(text) : text;
  if (kind === 'number' && !/^\d{1,15}$/.test(text))
    throw invalidValue({ name, text, takes }, 'it is not a whole number');
  const parsed: z.ZodSafeParseResult<unknown> = schema.safeParse(written);
  if (parsed.success) return written;
  throw invalidValue({ name, text, takes }, describeIssues(parsed.error));
}

/** As it is given to `config set`. */
export function formatValue(value: WrittenValue): string {
  return typeof value === 'object' ? value.join(',') : String(value);
}

function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '');
}

function invalidValue(
  { name, text, takes }: { name: string; text: string; takes: string },
  why: string,
): UserError {
  return new UserError('CONFIG_VALUE_INVALID', `Cannot set "${name}" to "${text}": ${why}`, {
    hint: `it takes ${takes}`,
  });
}
