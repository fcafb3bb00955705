import { systemErrorCode } from './errors.ts';

/** What was looked for in the file system, undefined when it is not there: whatever is asked for first can be gone a moment later. */
export async function ifThere<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
