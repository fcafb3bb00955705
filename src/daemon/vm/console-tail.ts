import { olderLogPath } from '#base/older-log-path.ts';
import { readTail } from '#host/read-tail.ts';

/** The last bytes of a console as text, also when it has just begun a new file. */
export async function readConsoleTail(path: string, maxBytes: number): Promise<string> {
  const tail = await readTail(path, maxBytes);
  const missing = maxBytes - Buffer.byteLength(tail);
  return missing > 0 ? (await readTail(olderLogPath(path), missing)) + tail : tail;
}
