/** What the text of a TOML document consists of; everything between statements is blank or comment. */
export interface Statement {
  kind: 'pair' | 'table' | 'array-of-tables';
  /** From the root of the document. */
  path: readonly string[];
  /** Where its line begins, and where the line after its last one does. */
  start: number;
  end: number;
  /** Of a pair's value. */
  valueStart: number;
  valueEnd: number;
}

const STRING_DELIMITERS = ['"""', "'''", '"', "'"] as const;

/** Finds the statements of a text that is known to be valid TOML. `parseKey` reads a dotted key as it stands. */
export function scanToml(text: string, parseKey: (key: string) => string[]): Statement[] {
  const statements: Statement[] = [];
  let table: readonly string[] = [];
  let position = 0;
  for (;;) {
    const start = skipBlank(text, position);
    if (start === undefined) return statements;
    const statement =
      text[start] === '[' ? scanHeader(text, start, parseKey) : scanPair(text, start, parseKey);
    if (statement.kind !== 'pair') table = statement.path;
    else statement.path = [...table, ...statement.path];
    statements.push({ ...statement, start: lineStart(text, start) });
    position = statement.end;
  }
}

function scanHeader(text: string, start: number, parseKey: (key: string) => string[]): Statement {
  const isArray = text.startsWith('[[', start);
  const keyStart = start + (isArray ? 2 : 1);
  const keyEnd = findOutsideStrings(text, keyStart, (character) => character === ']');
  return {
    kind: isArray ? 'array-of-tables' : 'table',
    path: parseKey(text.slice(keyStart, keyEnd)),
    start,
    end: nextLine(text, keyEnd),
    valueStart: keyEnd,
    valueEnd: keyEnd,
  };
}

function scanPair(text: string, start: number, parseKey: (key: string) => string[]): Statement {
  const equals = findOutsideStrings(text, start, (character) => character === '=');
  const valueStart = skipSpaces(text, equals + 1);
  const valueEnd = findValueEnd(text, valueStart);
  return {
    kind: 'pair',
    path: parseKey(text.slice(start, equals)),
    start,
    end: nextLine(text, valueEnd),
    valueStart,
    valueEnd,
  };
}

/** The end of a value, which goes over several lines only within strings and brackets. */
function findValueEnd(text: string, valueStart: number): number {
  let depth = 0;
  const end = findOutsideStrings(text, valueStart, (character) => {
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    if (depth > 0) return false;
    return character === '#' || character === '\n';
  });
  return valueStart + text.slice(valueStart, end).trimEnd().length;
}

/** The first position where `stop` holds, strings and comments left out; the end of the text when it never does. */
function findOutsideStrings(text: string, start: number, stop: (character: string) => boolean): number {
  let position = start;
  while (position < text.length) {
    const character = text[position] as string;
    const delimiter = STRING_DELIMITERS.find((known) => text.startsWith(known, position));
    if (delimiter !== undefined) position = skipString(text, position, delimiter);
    else if (stop(character)) return position;
    else if (character === '#') position = lineEnd(text, position);
    else position += 1;
  }
  return position;
}

function skipString(text: string, start: number, delimiter: (typeof STRING_DELIMITERS)[number]): number {
  let position = start + delimiter.length;
  while (position < text.length && !text.startsWith(delimiter, position)) {
    position += delimiter.startsWith('"') && text[position] === '\\' ? 2 : 1;
  }
  position += delimiter.length;
  // A string of several lines may end with up to two quotes of its own before those that end it.
  while (delimiter.length === 3 && text[position] === delimiter[0]) position += 1;
  return position;
}

/** Where the next statement begins; undefined when only blank space and comments are left. */
function skipBlank(text: string, start: number): number | undefined {
  let position = start;
  while (position < text.length) {
    if (text[position] === '#') position = lineEnd(text, position);
    else if (/[\s\uFEFF]/.test(text[position] as string)) position += 1;
    else return position;
  }
  return undefined;
}

function skipSpaces(text: string, start: number): number {
  let position = start;
  while (text[position] === ' ' || text[position] === '\t') position += 1;
  return position;
}

function lineStart(text: string, position: number): number {
  return text.lastIndexOf('\n', position - 1) + 1;
}

function lineEnd(text: string, position: number): number {
  const end = text.indexOf('\n', position);
  return end === -1 ? text.length : end;
}

function nextLine(text: string, position: number): number {
  return Math.min(text.length, lineEnd(text, position) + 1);
}
