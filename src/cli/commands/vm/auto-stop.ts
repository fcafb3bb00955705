import { parseDuration } from '#base/durations.ts';
import { UserError } from '#contract/errors.ts';

/** Milliseconds; 0 is never. `default` is what the configuration says. */
export type AutoStop = number | 'default';

export function parseAutoStop(text: string): AutoStop {
  if (text === 'default') return text;
  if (text === '0' || text === 'never') return 0;
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UserError('INVALID_ARGUMENT', `Cannot use "${text}" as time: it is not a duration`, {
    hint: 'write a time such as 30m or 2h, 0 for never, or default',
  });
}
