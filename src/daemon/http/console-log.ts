import { delay } from '#base/backoff.ts';
import { RotatedLog } from '#host/rotated-log.ts';

export interface ConsoleLogOptions {
  /** How much of the end to begin with. */
  tailBytes: number;
  /** Go on with what comes until the signal aborts or the VM is gone. */
  follow?: { signal: AbortSignal; isGone: () => boolean } | undefined;
}

const LOOK_AGAIN_MS = 100;

/** The file may not be there yet, may be cut, and may be put aside at any time. Ends in peace when the signal aborts. */
export async function* readConsoleLog(
  path: string,
  { tailBytes, follow }: ConsoleLogOptions,
): AsyncGenerator<Buffer, void, undefined> {
  await using log = new RotatedLog(path);
  let isLast = isOver(follow);
  yield* log.readTail(tailBytes);
  if (!follow) return;
  while (!isLast && (await waitABit(follow.signal))) {
    isLast = isOver(follow);
    yield* log.readNew();
  }
}

/** Asked before each look, so that the last one comes after the end. */
function isOver(follow: ConsoleLogOptions['follow']): boolean {
  return !follow || follow.signal.aborted || follow.isGone();
}

/** False when the signal aborted meanwhile. */
async function waitABit(signal: AbortSignal): Promise<boolean> {
  try {
    await delay(LOOK_AGAIN_MS, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
