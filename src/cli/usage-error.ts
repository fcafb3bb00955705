import {
  AliasNotFoundError,
  ArgumentParseError,
  ArgumentScannerError,
  EnumValidationError,
  FlagNotFoundError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
  type Command,
} from '@stricli/core';
import { nearest } from '#base/nearest.ts';
import { isUserError, UserError } from '#contract/errors.ts';
import type { CliContext } from './context.ts';

export interface UsageContext {
  /** `banger vm run`. */
  command: string;
  /** `--disk-size`, `--name`, … */
  flags: readonly string[];
  /** The command runs another one, given behind `--`. */
  takesCommand: boolean;
}

/** What the argument parser threw, in our words; anything else as it is. */
export function toUsageError(error: unknown, context: UsageContext): unknown {
  if (!(error instanceof ArgumentScannerError)) return error;
  if (error instanceof ArgumentParseError && isUserError(error.exception)) return error.exception;
  const { condition, hint } = explain(error, context);
  return new UserError('USAGE', `Cannot run "${context.command}": ${condition}`, {
    hint: hint ?? `${context.command} --help`,
  });
}

interface Explanation {
  condition: string;
  hint?: string | undefined;
}

function explain(error: ArgumentScannerError, context: UsageContext): Explanation {
  if (error instanceof FlagNotFoundError) return unknownFlag(`--${error.input}`, context);
  if (error instanceof AliasNotFoundError) return unknownFlag(`-${error.input}`, context);
  if (error instanceof UnexpectedPositionalError) return unexpectedWord(error.input, context);
  if (error instanceof UnsatisfiedPositionalError) return { condition: `it needs a ${error.placeholder}` };
  if (error instanceof UnsatisfiedFlagError)
    return { condition: `"--${error.externalFlagName}" needs a value` };
  if (error instanceof UnexpectedFlagError)
    return { condition: `"--${error.externalFlagName}" is given twice` };
  if (error instanceof EnumValidationError) {
    const values = error.values.map((value) => `"${value}"`).join(', ');
    const guess = nearest(error.input, error.values);
    return {
      condition: `"--${error.externalFlagName}" cannot be "${error.input}", only one of ${values}`,
      hint: guess === undefined ? undefined : `did you mean "${guess}"?`,
    };
  }
  return { condition: error.message };
}

function unknownFlag(flag: string, { flags }: UsageContext): Explanation {
  const guess = nearest(
    flag.replace(/^-+/, ''),
    flags.map((known) => known.replace(/^-+/, '')),
  );
  return {
    condition: `it has no flag "${flag}"`,
    hint: guess === undefined ? undefined : `did you mean "--${guess}"?`,
  };
}

/** The parser takes what is no well-formed flag, such as `--x` or `--name=`, for a plain word. */
function unexpectedWord(input: string, context: UsageContext): Explanation {
  const [flag = '', value] = input.split('=', 2);
  if (value === '' && context.flags.includes(flag)) return { condition: `"${flag}" needs a value` };
  if (input.startsWith('-')) return unknownFlag(flag, context);
  const hint = context.takesCommand ? 'put "--" before the command to run in the VM' : undefined;
  return { condition: `it takes no argument "${input}"`, hint };
}

/** The error for words that lead to no command. */
export function unknownCommand(
  word: string,
  group: { path: readonly string[]; names: readonly string[]; elsewhere: readonly string[] },
): UserError {
  const prefix = ['banger', ...group.path].join(' ');
  if (word.startsWith('-')) {
    return new UserError('USAGE', `Cannot run "${prefix}": it has no flag "${word}"`, {
      hint: `${prefix} --help`,
    });
  }
  const guess = nearest(word, group.names);
  const longer = group.elsewhere.find((path) => path.endsWith(` ${word}`));
  const better = longer ?? (guess === undefined ? undefined : [...group.path, guess].join(' '));
  return new UserError('USAGE', `Cannot run "${prefix} ${word}": there is no such command`, {
    hint: better === undefined ? `${prefix} --help` : `did you mean "banger ${better}"?`,
  });
}

/** As they are typed: `--disk-size`. */
export function flagNames(command: Command<CliContext>): string[] {
  const names = Object.keys(command.parameters.flags ?? {});
  return names.map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
}
