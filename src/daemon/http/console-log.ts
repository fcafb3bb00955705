import { type FileHandle, open } from 'node:fs/promises';
import { delay } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';

export interface ConsoleLogOptions {
  /** How much of the end to begin with. */
  tailBytes: number;
  /** Go on with what comes until the signal aborts or the VM is gone. */
  follow?: { signal: AbortSignal; isGone: () => boolean } | undefined;
}

interface Position {
  inode: number;
  offset: number;
}

const CHUNK_BYTES = 65_536;
const LOOK_AGAIN_MS = 100;

/** The file may not be there yet, may be cut, and may be replaced by that of the next boot. Ends in peace when the signal aborts. */
export async function* readConsoleLog(
  path: string,
  options: ConsoleLogOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { tailBytes, follow } = options;
  let position: Position | undefined;
  let skipTo = (size: number) => Math.max(0, size - tailBytes);
  for (;;) {
    const isLast = !follow || follow.signal.aborted || follow.isGone();
    await using file = await openIfThere(path);
    if (file) {
      const { ino: inode, size } = await file.stat();
      const isSame = position?.inode === inode && position.offset <= size;
      position = { inode, offset: isSame && position ? position.offset : skipTo(size) };
      for await (const chunk of readRange(file, position.offset, size)) {
        position.offset += chunk.length;
        yield chunk;
      }
    }
    if (isLast || !(await waitABit(follow.signal))) return;
    skipTo = () => 0;
  }
}

async function* readRange(
  file: FileHandle,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = from; offset < to;) {
    const wanted = Math.min(CHUNK_BYTES, to - offset);
    // oxlint-disable-next-line no-await-in-loop -- one part after the other
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
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
