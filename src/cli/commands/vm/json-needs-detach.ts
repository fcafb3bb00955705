import { UserError } from '#contract/errors.ts';

/** What an attached command writes is all that stdout carries. */
export function jsonNeedsDetach(command: string): UserError {
  return new UserError('USAGE', `Cannot run "${command} --json": stdout is for the command`, {
    hint: 'add "-d", or leave "--json" out',
  });
}
