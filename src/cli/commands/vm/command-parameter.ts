import { UserError } from '#contract/errors.ts';

/** The number of a detached command. */
export const commandParameter = {
  brief: 'Number of a detached command',
  placeholder: 'command',
  parse: parseCommandNumber,
} as const;

function parseCommandNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UserError(
    'USAGE',
    `Cannot use "${text}" as number of a command: it is not a whole number above 0`,
    {
      hint: '`banger vm commands VM` lists them',
    },
  );
}
