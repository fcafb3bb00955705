import {
  buildApplication,
  buildRouteMap,
  help,
  text_en,
  type Application,
  type ApplicationText,
  type Command,
  type RouteMap,
} from '@stricli/core';
import type { CliContext } from './context.ts';

const rethrow = (error: unknown): never => {
  throw error;
};

/** The library turns every error into text; throwing from where it does so hands the error itself to our one funnel. */
const TEXT: ApplicationText = {
  ...text_en,
  exceptionWhileParsingArguments: rethrow,
  exceptionWhileLoadingCommandFunction: rethrow,
  exceptionWhileLoadingCommandContext: rethrow,
  exceptionWhileRunningCommand: rethrow,
  exceptionWhileRunningIntegrationHook: ({ exception }) => rethrow(exception),
  exceptionWhileRunningIntegrationFlag: ({ exception }) => rethrow(exception),
  commandErrorResult: rethrow,
};

/** An application of one command: only the one that runs is ever loaded. */
export function buildCommandApplication(
  path: readonly string[],
  command: Command<CliContext>,
): Application<CliContext> {
  const [outermost, ...inner] = path.toReversed();
  if (outermost === undefined) throw new Error('a command has a name');
  const innermost: RouteMap<CliContext> = mapOf(outermost, withPlainHelp(command));
  const root = inner.reduce((target, name) => mapOf(name, target), innermost);
  return buildApplication(
    root,
    {
      name: 'banger',
      scanner: { caseStyle: 'allow-kebab-for-camel' },
      documentation: { disableAnsiColor: true },
      localization: { text: TEXT },
    },
    {
      help: help({
        brief: 'Print this help',
        formatting: {
          useAliasInUsageLine: false,
          onlyRequiredInUsageLine: true,
          caseStyle: 'convert-camel-to-kebab',
        },
      }),
    },
  );
}

/** That a switch is off unless it is given goes without saying. */
function withPlainHelp(command: Command<CliContext>): Command<CliContext> {
  return {
    ...command,
    formatHelp: (args) => command.formatHelp(args).replaceAll(/ +\[default = false\]$/gm, ''),
  };
}

function mapOf(name: string, target: Command<CliContext> | RouteMap<CliContext>): RouteMap<CliContext> {
  return buildRouteMap<string, CliContext>({ routes: { [name]: target }, docs: { brief: '' } });
}
