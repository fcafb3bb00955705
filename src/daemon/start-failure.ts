import { messageOf } from '#base/errors.ts';
import { isUserError } from '#contract/errors.ts';
import type { StartFailure } from '#host/ready-pipe.ts';
import { translateHostFailure } from './host-failure.ts';

const ERROR_LEVEL = 50; // as the log's other lines have it

/** What a start that failed is told to whoever waits for it. */
export function startFailure(thrown: unknown): StartFailure {
  // A store that cannot be opened for want of room is not damaged.
  const isOwn = isUserError(thrown) && thrown.code !== 'STORE_UNREADABLE';
  const error = isOwn ? thrown : (translateHostFailure(thrown) ?? thrown);
  if (isUserError(error)) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'INTERNAL', message: `Cannot start the daemon: ${messageOf(error)}` };
}

/** One line in the log for what is expected, such as a start that another one has won. @throws anything else, for its stack */
export function logStartFailure(error: unknown): void {
  if (!isUserError(error)) throw error;
  const { code, hint, message: msg } = error;
  const line = { level: ERROR_LEVEL, time: new Date().toISOString(), code, hint, msg };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
