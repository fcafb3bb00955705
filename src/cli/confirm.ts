import { UserError } from '#contract/errors.ts';
import type { CliContext } from './context.ts';

export interface Question {
  /** What happens when the answer is yes: `Delete these 3 VMs?` */
  text: string;
  /** The flag that answers yes beforehand. */
  flag: string;
}

/**
 * Asks on the terminal; anything but yes is no.
 *
 * @throws UserError `USAGE` when nobody can be asked
 */
export async function confirm(
  { process: { stdin, stderr } }: CliContext,
  question: Question,
): Promise<boolean> {
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new UserError('USAGE', 'Cannot ask whether to go on: this is no terminal', {
      hint: `give ${question.flag} to go on without asking`,
    });
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: stdin, output: stderr });
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(`${question.text} [y/N] `), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
