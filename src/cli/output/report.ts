import { exitStatusOf, formatError, formatJsonError } from './error.ts';
import type { Output } from './output.ts';

/** The one place where failures become text; returns the exit status. */
export function reportFailure(error: unknown, { output, json }: { output: Output; json: boolean }): number {
  output.stderr.print(json ? formatJsonError(error) : formatError(error, output.noteStyle));
  return exitStatusOf(error);
}
