import type { Command } from '@stricli/core';
import type { CliContext } from './context.ts';

/** A command's place: its code is imported when it runs. */
export interface CommandEntry {
  readonly load: () => Promise<Command<CliContext>>;
  /** Words behind `--` are the guest's command; other commands refuse them. */
  readonly takesCommand?: boolean;
}

export interface Group {
  readonly brief: string;
  /** What it is for, the command that one needs most, what comes next. */
  readonly description: string;
  readonly routes: Readonly<Record<string, CommandEntry | Group>>;
  /** Other names of its routes. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** Where the leading words of a command line lead to. */
export type Location =
  | { kind: 'command'; path: readonly string[]; entry: CommandEntry; rest: readonly string[] }
  | { kind: 'group'; path: readonly string[]; group: Group; rest: readonly string[] };

export function isGroup(route: CommandEntry | Group): route is Group {
  return 'routes' in route;
}

/** Follows the words as far as they name routes. */
export function locate(root: Group, words: readonly string[]): Location {
  const path: string[] = [];
  let group = root;
  for (const [index, word] of words.entries()) {
    const name = group.aliases?.[word] ?? word;
    const route = Object.hasOwn(group.routes, name) ? group.routes[name] : undefined;
    if (!route) return { kind: 'group', path, group, rest: words.slice(index) };
    path.push(name);
    if (!isGroup(route)) return { kind: 'command', path, entry: route, rest: words.slice(index + 1) };
    group = route;
  }
  return { kind: 'group', path, group, rest: [] };
}

/** Every command with the words that lead to it, in the order of the tree. */
export function* everyCommand(
  group: Group,
  prefix: readonly string[] = [],
): Generator<{ path: string[]; entry: CommandEntry }> {
  for (const [name, route] of Object.entries(group.routes)) {
    const path = [...prefix, name];
    if (isGroup(route)) yield* everyCommand(route, path);
    else yield { path, entry: route };
  }
}

/** Every group, the outermost first. */
export function* everyGroup(
  group: Group,
  path: readonly string[] = [],
): Generator<{ path: readonly string[]; group: Group }> {
  yield { path, group };
  for (const [name, route] of Object.entries(group.routes)) {
    if (isGroup(route)) yield* everyGroup(route, [...path, name]);
  }
}
