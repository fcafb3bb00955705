import { UserError } from '#contract/errors.ts';
import { splitAtDashes } from './argv.ts';
import { everyCommand, locate, type Location } from './command-tree.ts';
import { commandTree } from './commands/tree.ts';
import { CliContext, type CliHost } from './context.ts';
import { exitStatusOfSignal } from './interruption.ts';
import { reportFailure } from './output/report.ts';
import { printVersion, printVersionLine } from './output/version-text.ts';

/** Runs one command line; resolves with the exit status once all output is out. Never rejects. */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  const { own, command } = splitAtDashes(argv);
  const context = new CliContext(host, command);
  const json = own.includes('--json');
  let status: number;
  try {
    await dispatch(own, context);
    status = context.exitStatus;
  } catch (error) {
    status = reportFailure(error, { output: context.output, json });
  }
  await context.output.flush();
  return withOutputFailure(status, context, json);
}

/** A result that could not be written is no success. */
function withOutputFailure(status: number, { output }: CliContext, json: boolean): number {
  const { stdout } = output;
  if (!stdout.failure) return status;
  if (stdout.isClosedPipe) return status === 0 ? exitStatusOfSignal('SIGPIPE') : status;
  const error = new UserError('OUTPUT_FAILED', `Cannot write the output: ${stdout.failure.message}`, {
    cause: stdout.failure,
  });
  return reportFailure(error, { output, json });
}

async function dispatch(own: readonly string[], context: CliContext): Promise<void> {
  const line = own.join(' ');
  if (line === 'complete') return complete(context);
  // These two answer at once: loading the argument parser would cost more than all the rest.
  if (line === '--version') return printVersionLine(context.output);
  if (line === 'version') return printVersion(context.output, { json: false });
  const location = locate(commandTree, own);
  if (location.kind === 'command') await runCommand(location, context);
  else await showGroup(location, context);
}

/** Asked by the scripts of `banger completion`; no command for people. */
async function complete(context: CliContext): Promise<void> {
  const { printCompletions } = await import('./complete.ts');
  await printCompletions(context, context.command ?? []);
}

async function runCommand(location: Location & { kind: 'command' }, context: CliContext): Promise<void> {
  const { path, entry, rest } = location;
  const name = ['banger', ...path].join(' ');
  if (context.command && !entry.takesCommand) {
    throw new UserError('USAGE', `Cannot run "${name}": it takes no words after "--"`, {
      hint: `${name} --help`,
    });
  }
  const [{ run }, { buildCommandApplication }, command] = await Promise.all([
    import('@stricli/core'),
    import('./application.ts'),
    entry.load(),
  ]);
  try {
    await run(buildCommandApplication(path, command), [...path, ...rest], parserContext(context));
  } catch (error) {
    const { flagNames, toUsageError } = await import('./usage-error.ts');
    throw toUsageError(error, {
      command: name,
      flags: flagNames(command),
      takesCommand: entry.takesCommand ?? false,
    });
  }
}

/** The argument parser looks at both outputs whether or not it prints: Node would open them, as long as the guest is kept waiting. */
function parserContext(context: CliContext) {
  const print = (sink: 'stdout' | 'stderr') => ({
    write: (text: string) => context.output[sink].print(text),
  });
  return { process: { stdout: print('stdout'), stderr: print('stderr') }, forCommand: () => context };
}

async function showGroup(
  { path, group, rest }: Location & { kind: 'group' },
  context: CliContext,
): Promise<void> {
  const [word] = rest;
  if (word !== undefined && word !== '--help' && word !== '-h') {
    const { unknownCommand } = await import('./usage-error.ts');
    const elsewhere = [...everyCommand(commandTree)].map((found) => found.path.join(' '));
    throw unknownCommand(word, { path, names: Object.keys(group.routes), elsewhere });
  }
  const { formatGroupHelp } = await import('./group-help.ts');
  context.output.text(await formatGroupHelp(group, path));
}
