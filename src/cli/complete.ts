import { isGroup, locate, type Group } from './command-tree.ts';
import { commandTree } from './commands/tree.ts';
import type { CliContext } from './context.ts';

interface Candidate {
  completion: string;
  brief: string;
}

/** For the scripts of `banger completion`: the words so far, the last one is the unfinished one. A line for each proposal. */
export async function printCompletions(context: CliContext, words: readonly string[]): Promise<void> {
  const finished = words.slice(0, -1);
  const partial = words.at(-1) ?? '';
  if (finished.includes('--')) return; // the guest's command: nothing here knows its words
  for (const { completion, brief } of await candidates(context, finished, partial)) {
    context.output.line(`${completion}\t${brief}`);
  }
}

async function candidates(
  context: CliContext,
  finished: readonly string[],
  partial: string,
): Promise<readonly Candidate[]> {
  const location = locate(commandTree, finished);
  if (location.kind === 'group') return location.rest.length > 0 ? [] : routesOf(location.group, partial);
  const { path, entry, rest } = location;
  const [{ proposeCompletions }, { buildCommandApplication }, command] = await Promise.all([
    import('@stricli/core'),
    import('./application.ts'),
    entry.load(),
  ]);
  const app = buildCommandApplication(path, command);
  const proposed = await proposeCompletions(app, [...path, ...rest, partial], context);
  // Where a VM is to be named, flags only come when they are asked for with a dash.
  const wantsValue = partial === '' && command.parameters.positional !== undefined;
  return wantsValue ? proposed.filter(({ kind }) => kind === 'argument:value') : proposed;
}

async function routesOf(group: Group, partial: string): Promise<Candidate[]> {
  const matching = Object.entries(group.routes).filter(([name]) => name.startsWith(partial));
  return Promise.all(
    matching.map(async ([completion, route]) => ({
      completion,
      brief: isGroup(route) ? route.brief : (await route.load()).brief,
    })),
  );
}
