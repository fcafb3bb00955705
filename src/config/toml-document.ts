/** A parsed table of TOML. */
export type Table = Readonly<Record<string, unknown>>;

/** The table with one key more or changed, tables made on the way. */
export function withKey(table: Table, path: readonly string[], value: unknown): Table {
  const [name = '', ...rest] = path;
  const inner = own(table, name);
  const changed = rest.length === 0 ? value : withKey(isTable(inner) ? inner : {}, rest, value);
  return fromEntries([...Object.entries(table).filter(([key]) => key !== name), [name, changed]]);
}

/** The table without the key, whether it is there or not. */
export function withoutKey(table: Table, path: readonly string[]): Table {
  const [name = '', ...rest] = path;
  const inner = own(table, name);
  const others = Object.entries(table).filter(([key]) => key !== name);
  if (rest.length === 0) return fromEntries(others);
  return isTable(inner) ? fromEntries([...others, [name, withoutKey(inner, rest)]]) : table;
}

export function hasKey(table: Table, path: readonly string[]): boolean {
  const [name = '', ...rest] = path;
  if (!Object.hasOwn(table, name)) return false;
  const inner = own(table, name);
  return rest.length === 0 || (isTable(inner) && hasKey(inner, rest));
}

/** Whether two documents say the same; an empty table says nothing. */
export function sameDocument(one: unknown, other: unknown): boolean {
  if (isTable(one) && isTable(other)) return sameTable(withoutEmpty(one), withoutEmpty(other));
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => sameDocument(item, other[index]));
  }
  if (one instanceof Date && other instanceof Date) return String(one) === String(other);
  return Object.is(one, other);
}

function sameTable(one: Map<string, unknown>, other: Map<string, unknown>): boolean {
  return (
    one.size === other.size &&
    [...one].every(([key, value]) => other.has(key) && sameDocument(value, other.get(key)))
  );
}

function withoutEmpty(table: Table): Map<string, unknown> {
  return new Map(Object.entries(table).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return isTable(value) && Object.values(value).every(isEmpty);
}

function own(table: Table, name: string): unknown {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Also for a key called `__proto__`. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): Table {
  return Object.fromEntries(entries);
}

function isTable(value: unknown): value is Table {
  return Object.prototype.toString.call(value) === '[object Object]';
}
