import { parse, stringify } from 'smol-toml';
import type { WrittenValue } from './config-key.ts';
import { formatKeyPath, parseKeyPath } from './key-path.ts';
import { hasKey, sameDocument, withoutKey, withKey, type Table } from './toml-document.ts';
import { scanToml, type Statement } from './toml-scanner.ts';

/** The text cannot be edited without touching more than the key: somebody must do it by hand. */
export class UneditableTomlError extends Error {
  constructor(path: readonly string[]) {
    super(`the key "${formatKeyPath(path)}" stands where it cannot be edited alone`);
    this.name = 'UneditableTomlError';
  }
}

/**
 * The text with the key set; comments, order and blank lines stay as they are. The text must be valid TOML.
 *
 * @throws UneditableTomlError
 */
export function setInToml(text: string, path: readonly string[], value: WrittenValue): string {
  const statements = scanToml(text, parseKeyPath);
  const isInside = (statement: Statement) => statement.kind === 'pair' && isWithin(path, statement.path);
  const existing = statements.find(isInside);
  const edited = existing
    ? replaceValue(text, existing, { path, value })
    : insertPair(text, statements, { path, value });
  return verified(edited, path, withKey(parse(text), path, value));
}

/** The text without the key and what is below it. A comment on its own line stays, one behind the value goes. */
export function unsetInToml(text: string, path: readonly string[]): string {
  const statements = scanToml(text, parseKeyPath);
  const inline = statements.find(
    (statement) =>
      isInlineTable(text, statement) && isWithin(path, statement.path) && statement.path.length < path.length,
  );
  const edited = inline
    ? replaceInline(text, inline, (table) => withoutKey(table, path.slice(inline.path.length)))
    : removeStatements(
        text,
        statements.filter((statement) => isWithin(statement.path, path)),
      );
  return verified(edited, path, withoutKey(parse(text), path));
}

export function isInToml(text: string, path: readonly string[]): boolean {
  return hasKey(parse(text), path);
}

interface Pair {
  path: readonly string[];
  value: WrittenValue;
}

function replaceValue(text: string, existing: Statement, { path, value }: Pair): string {
  if (existing.path.length < path.length) {
    if (!isInlineTable(text, existing)) throw new UneditableTomlError(path);
    return replaceInline(text, existing, (table) => withKey(table, path.slice(existing.path.length), value));
  }
  return text.slice(0, existing.valueStart) + formatValue(value) + text.slice(existing.valueEnd);
}

/** An inline table is written anew: it is one value of one line. */
function replaceInline(text: string, existing: Statement, change: (table: Table) => Table): string {
  const written = text.slice(existing.valueStart, existing.valueEnd);
  const { value } = parse(`value = ${written}`);
  return (
    text.slice(0, existing.valueStart) + formatValue(change(value as Table)) + text.slice(existing.valueEnd)
  );
}

function isInlineTable(text: string, { kind, valueStart }: Statement): boolean {
  return kind === 'pair' && text[valueStart] === '{';
}

function removeStatements(text: string, removed: readonly Statement[]): string {
  return removed.toReversed().reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
}

interface Place {
  position: number;
  /** So many parts of the path are said already by the table it stands in. */
  written: number;
  needsHeader?: boolean;
  /** It stands right above a header that is not its own. */
  needsGap?: boolean;
}

function insertPair(text: string, statements: readonly Statement[], { path, value }: Pair): string {
  const table = path.slice(0, -1);
  const { position, written, needsHeader, needsGap } = findPlace(text, statements, table);
  const isBlankAbove = text.slice(0, position).trim() === '';
  return insertLines(text, position, [
    ...(needsHeader && !isBlankAbove ? [''] : []),
    ...(needsHeader ? [`[${formatKeyPath(table)}]`] : []),
    `${formatKeyPath(path.slice(written))} = ${formatValue(value)}`,
    ...(needsGap ? [''] : []),
  ]);
}

function findPlace(text: string, statements: readonly Statement[], table: readonly string[]): Place {
  const header = statements.findIndex(({ kind, path }) => kind === 'table' && isSame(path, table));
  if (header !== -1) return { position: endOfSection(statements, header), written: table.length };
  const firstHeader = statements.findIndex(({ kind }) => kind !== 'pair');
  const rootPairs = firstHeader === -1 ? statements : statements.slice(0, firstHeader);
  const sibling = rootPairs.findLast(({ path }) => isWithin(path, table));
  if (sibling) return { position: sibling.end, written: 0 };
  if (table.length > 0) return { position: text.length, written: table.length, needsHeader: true };
  const below = statements[firstHeader];
  return {
    position: below ? startOfComment(text, below.start) : text.length,
    written: 0,
    needsGap: below !== undefined,
  };
}

function endOfSection(statements: readonly Statement[], header: number): number {
  const next = statements.findIndex(({ kind }, index) => index > header && kind !== 'pair');
  return statements.slice(header, next === -1 ? undefined : next).at(-1)?.end ?? 0;
}

/** A comment right above a header belongs to it. */
function startOfComment(text: string, position: number): number {
  let start = position;
  while (start > 0) {
    const above = text.lastIndexOf('\n', start - 2) + 1;
    if (!text.slice(above, start).trimStart().startsWith('#')) break;
    start = above;
  }
  return start;
}

function insertLines(text: string, position: number, lines: readonly string[]): string {
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text.slice(0, position);
  const opening = before === '' || before.endsWith('\n') ? '' : lineBreak;
  return before + opening + lines.map((line) => line + lineBreak).join('') + text.slice(position);
}

function formatValue(value: WrittenValue | Table): string {
  // Two lists deep the library writes everything inline, tables too.
  const text = stringify({ v: [[value]] }).trimEnd();
  return text.slice(text.indexOf('[ [ ') + 4, -4);
}

function verified(edited: string, path: readonly string[], intended: Table): string {
  try {
    if (sameDocument(parse(edited), intended)) return edited;
  } catch {
    // no TOML any more
  }
  throw new UneditableTomlError(path);
}

function isWithin(path: readonly string[], outer: readonly string[]): boolean {
  return outer.every((part, index) => path[index] === part);
}

function isSame(path: readonly string[], other: readonly string[]): boolean {
  return path.length === other.length && isWithin(path, other);
}
