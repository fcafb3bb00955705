import { parse } from 'smol-toml';
import { nearest } from '#base/nearest.ts';
import { KEY_NAMES } from './keys.ts';

/** `a.b` as people and TOML write it; parts that need quotes get them. */
export function formatKeyPath(path: readonly string[]): string {
  return path.map((part) => (/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part))).join('.');
}

/** The parts of a dotted key, quotes understood; what is no key of TOML is one part. */
export function parseKeyPath(text: string): string[] {
  if (/[=\n\r#[\]]/.test(text)) return [text];
  try {
    const path: string[] = [];
    let level: unknown = parse(`${text} = 0`);
    while (typeof level === 'object' && level !== null) {
      const [entry] = Object.entries(level);
      if (!entry) break;
      path.push(entry[0]);
      level = entry[1];
    }
    return path;
  } catch {
    return [text];
  }
}

const groupOf = (name: string) => name.slice(0, name.lastIndexOf('.') + 1);
const leafOf = (name: string) => name.slice(name.lastIndexOf('.') + 1);

/** The key that was most likely meant: as it is, under another table's name, or in no table or the wrong one. */
export function nearestKey(typed: string): string | undefined {
  const whole = nearest(typed, KEY_NAMES);
  if (whole !== undefined) return whole;
  const leaf = nearest(leafOf(typed), KEY_NAMES.map(leafOf));
  if (leaf === undefined) return undefined;
  const withLeaf = KEY_NAMES.filter((name) => leafOf(name) === leaf);
  return withLeaf.find((name) => groupOf(name) === groupOf(typed)) ?? withLeaf[0];
}
