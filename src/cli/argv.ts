export interface SplitArgv {
  /** What stands before the first `--`: for banger. */
  own: readonly string[];
  /** What stands behind it: the words of the guest's command, as they are. Undefined without a `--`. */
  command: readonly string[] | undefined;
}

/** Splits before any parser sees the words, so that none can eat, join or reorder the guest's. */
export function splitAtDashes(argv: readonly string[]): SplitArgv {
  const index = argv.indexOf('--');
  if (index === -1) return { own: argv, command: undefined };
  return { own: argv.slice(0, index), command: argv.slice(index + 1) };
}
