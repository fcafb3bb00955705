import { isGroup, type CommandEntry, type Group } from './command-tree.ts';

/** The page of a group of commands. */
export async function formatGroupHelp(group: Group, path: readonly string[]): Promise<string> {
  const prefix = ['banger', ...path].join(' ');
  const rows = await Promise.all(
    Object.entries(group.routes).map(async ([name, route]) => ({ name, brief: await briefOf(route) })),
  );
  const width = Math.max(...rows.map((row) => row.name.length));
  const lines = [
    'USAGE',
    `  ${prefix} <command>`,
    '',
    group.description,
    '',
    'COMMANDS',
    ...rows.map((row) => `  ${row.name.padEnd(width)}  ${row.brief}`),
    '',
    `\`${prefix} <command> --help\` says more about each.`,
  ];
  return `${lines.join('\n')}\n`;
}

async function briefOf(route: Group | CommandEntry): Promise<string> {
  return isGroup(route) ? route.brief : (await route.load()).brief;
}
