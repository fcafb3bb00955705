import { TomlError, parse } from 'smol-toml';
import type * as z from 'zod';
import { nearest } from '#base/nearest.ts';
import { UserError } from '#contract/errors.ts';
import type { WrittenValue } from './config-key.ts';
import { formatKeyPath, nearestKey } from './key-path.ts';
import { KEY_NAMES, describeKey, isKeyName, type KeyName } from './keys.ts';

export interface ConfigFile {
  path: string;
  /** Undefined when there is no such file, which is as good as an empty one. */
  text: string | undefined;
}

/** What a file says of one key: in its words, and as the daemon uses it. */
export interface Setting {
  written: WrittenValue;
  value: unknown;
}

export type FileSettings = ReadonlyMap<KeyName, Setting>;

/** What is wrong with one key of a file. */
export interface ConfigIssue {
  key: string;
  message: string;
  /** Of a key that there is not. */
  isUnknown: boolean;
}

/** Tables of keys. */
const GROUPS = [
  ...new Set(KEY_NAMES.filter((name) => name.includes('.')).map((name) => name.replace(/\..*/, ''))),
];

/** @throws UserError `CONFIG_INVALID` naming the file and every key that is wrong */
export function readConfigFile(file: ConfigFile): FileSettings {
  const { settings, issues } = examineConfigFile(file);
  if (issues.length === 0) return settings;
  const unknown = issues.find(({ isUnknown }) => isUnknown);
  throw invalidFile(file.path, issues.map(({ key, message }) => `"${key}": ${message}`).join('; '), {
    hint: unknown && `correct the file; in your own: banger config unset ${quoteForShell(unknown.key)}`,
  });
}

/** The same, with what is wrong beside what is right. @throws UserError `CONFIG_INVALID` when the text is no TOML */
export function examineConfigFile({ path, text }: ConfigFile): {
  settings: FileSettings;
  issues: readonly ConfigIssue[];
} {
  const settings = new Map<KeyName, Setting>();
  const issues: ConfigIssue[] = [];
  for (const [keyPath, written] of leavesOf(parseToml(path, text ?? ''))) {
    const key = formatKeyPath(keyPath);
    if (!isKeyName(key)) {
      issues.push({ key, message: unknownMessage(key, written), isUnknown: !GROUPS.includes(key) });
      continue;
    }
    const parsed = describeKey(key).schema.safeParse(written);
    if (parsed.success) settings.set(key, { written: written as WrittenValue, value: parsed.data });
    else issues.push({ key, message: describeIssues(parsed.error), isUnknown: false });
  }
  return { settings, issues };
}

/** @throws UserError `CONFIG_INVALID` with line and column */
export function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message goes on with an excerpt of the file.
    const [what] = error.message.split('\n');
    throw invalidFile(path, `line ${error.line}, column ${error.column}: ${what}`, { cause: error });
  }
}

export function describeIssues({ issues }: z.ZodError): string {
  return issues.map(({ message }) => message).join(', ');
}

/** A table that is no group of keys is a leaf: its name is what is wrong, not what it holds. */
function leavesOf(document: Record<string, unknown>): [path: string[], value: unknown][] {
  return Object.entries(document).flatMap(([name, value]): [string[], unknown][] => {
    if (!GROUPS.includes(name) || !isTable(value)) return [[[name], value]];
    return Object.entries(value).map(([leaf, inner]) => [[name, leaf], inner]);
  });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function unknownMessage(key: string, value: unknown): string {
  if (GROUPS.includes(key)) return 'it is a table of keys';
  const meant = isTable(value) ? nearestGroup(key) : nearestKey(key);
  return `there is no such key${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
}

function nearestGroup(key: string): string | undefined {
  return nearest(key, GROUPS) ?? GROUPS.find((group) => group.startsWith(key));
}

function quoteForShell(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : `'${key.replaceAll("'", String.raw`'\''`)}'`;
}

function invalidFile(
  path: string,
  why: string,
  options: { hint?: string | undefined; cause?: unknown },
): UserError {
  return new UserError('CONFIG_INVALID', `Cannot use the configuration "${path}": ${why}`, {
    hint: options.hint ?? 'correct the file, or move it away to use the defaults',
    cause: options.cause,
  });
}
