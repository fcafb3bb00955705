import { run } from '@stricli/core';
import { buildCommandApplication } from './application.ts';
import { everyCommand, everyGroup, type CommandEntry } from './command-tree.ts';
import { commandTree } from './commands/tree.ts';
import type { CliContext } from './context.ts';
import { formatGroupHelp } from './group-help.ts';

const INTRODUCTION = `# The command line

This page is generated from the commands: \`node scripts/generate-cli-docs.ts\`. It is what \`--help\` prints.

## What holds everywhere

- Results go to stdout, everything else to stderr. \`--json\` prints one JSON document on stdout (lists are arrays), and errors as one JSON
  object \`{"error": {"code", "message", "hint", "details", "operationId"}}\` on stderr. What the codes mean: [errors.md](errors.md).
- Exit status: 0 ok, 1 a bug in banger (and a \`doctor\` with a FAIL), 2 wrong usage, 3 failed, 4 no daemon, 130 interrupted. \`vm run\` and
  \`vm exec\` end with the guest command's own status: 128 + n when signal n ended it, 127 when there is no such program, 126 when it cannot be executed.
- Words after \`--\` reach the guest's command as they are: never joined, quoted or reordered.
- Colours only on a terminal, and not with \`NO_COLOR\`. Steps with elapsed time on a terminal, plain lines elsewhere.
- A VM is named by its name, its id, or a beginning of either that no other VM shares. Commands that take several VMs go on when one fails.
- Sizes: \`512M\`, \`2G\`, \`2GiB\`, in powers of 1024; a plain number for \`--memory\` is MiB. Times: \`500ms\`, \`30s\`, \`2m\`; a plain number is seconds.
- The daemon is started when a command needs it; \`version\`, \`daemon …\` and completion never start it.

## Input, terminals and signals

- \`vm run -- command\` passes stdin on when it is a pipe or a file (so in a \`while read\` loop, give it \`< /dev/null\`). Between two terminals the command
  gets a terminal of its own.
- \`vm exec\` closes the command's stdin unless there is \`-i\`, and gives it a terminal with \`-t\`.
- Ctrl-C during a creation cancels it and rolls it back. While a command runs without a terminal, the first Ctrl-C sends it SIGINT, the second SIGKILL,
  the third leaves it. With a terminal every key is the guest's.
- A reader that goes away (\`| head -1\`) ends the command as SIGPIPE would.

`;

/** docs/cli.md. */
export async function generateCliDocumentation(): Promise<string> {
  const sections: string[] = [];
  for (const { path, group } of everyGroup(commandTree)) {
    sections.push(section(path, await formatGroupHelp(group, path)));
  }
  for (const { path, entry } of everyCommand(commandTree)) {
    sections.push(section(path, await helpOf(path, entry)));
  }
  return `${INTRODUCTION}## Commands\n\n${sections.join('\n')}`;
}

function section(path: readonly string[], help: string): string {
  return `### ${['banger', ...path].join(' ')}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
}

/** As the command prints it. */
async function helpOf(path: readonly string[], entry: CommandEntry): Promise<string> {
  let text = '';
  const stream = { write: (chunk: string) => (text += chunk) };
  const context = { process: { stdout: stream, stderr: stream } } as unknown as CliContext;
  await run(buildCommandApplication(path, await entry.load()), [...path, '--help'], context);
  return text;
}
