import { printable } from './printable.ts';
import type { Style } from './style.ts';

export type Field = readonly [name: string, value: string | undefined];

/** One line for each field that has a value; ends with a line break. */
export function formatFields(fields: readonly Field[], style: Style): string {
  const present = fields.filter(([, value]) => value !== undefined);
  const width = Math.max(...present.map(([name]) => name.length));
  return present
    .map(([name, value]) => `${style.dim(name.padEnd(width))}  ${printable(value ?? '')}\n`)
    .join('');
}
