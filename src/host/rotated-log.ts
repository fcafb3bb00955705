import { open, stat, type FileHandle } from 'node:fs/promises';
import { ifThere } from '#base/if-there.ts';
import { olderLogPath } from '#base/older-log-path.ts';

const CHUNK_BYTES = 65_536;

interface OpenLog {
  readonly file: FileHandle;
  /** Unique among the files held open, and only among them: a removed file's number is given to the next one. */
  readonly inode: number;
  offset: number;
}

/**
 * Reads a log that its writer may put aside at any time (`olderLogPath`) and begin anew, without losing or repeating a byte.
 * Only what was put aside and replaced between two looks is lost. The log may not be there yet, and may be cut.
 */
export class RotatedLog implements AsyncDisposable {
  readonly #path: string;
  /** The current file, after the one that came before it: open, so that no later file can be taken for it. */
  #logs: OpenLog[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** The last `maxBytes` of what is there now. To be asked first, if at all. */
  async *readTail(maxBytes: number): AsyncGenerator<Buffer, void, undefined> {
    this.#logs = await this.#openBoth();
    const sizes = await Promise.all(this.#logs.map(async (log) => (await log.file.stat()).size));
    let left = maxBytes;
    for (const [index, log] of [...this.#logs.entries()].toReversed()) {
      const size = sizes[index] ?? 0;
      log.offset = Math.max(0, size - left);
      left -= size - log.offset;
    }
    for (const log of this.#logs) yield* readRest(log);
  }

  /** What was written since the last look. */
  async *readNew(): AsyncGenerator<Buffer, void, undefined> {
    yield* this.#readCurrent();
    while (await this.#wasReplaced()) {
      yield* this.#readCurrent(); // what was written before the file was left
      yield* this.#moveOn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const log of this.#logs) await log.file.close();
  }

  async *#readCurrent(): AsyncGenerator<Buffer, void, undefined> {
    const current = this.#logs.at(-1);
    if (current) yield* readRest(current);
  }

  /** Between its putting aside and its beginning there is no file: then what was put aside is the newest there is. */
  async #wasReplaced(): Promise<boolean> {
    const newest = (await inodeAt(this.#path)) ?? (await inodeAt(olderLogPath(this.#path)));
    return newest !== undefined && !this.#isKnown(newest);
  }

  /** On to the file that is there now, through one that came and went since the last look. */
  async *#moveOn(): AsyncGenerator<Buffer, void, undefined> {
    const found = await this.#openBoth();
    const known = found.filter((log) => this.#isKnown(log.inode));
    const missed = found.filter((log) => !this.#isKnown(log.inode));
    const logs = [...this.#logs, ...missed];
    this.#logs = logs.slice(-2);
    for (const log of [...known, ...logs.slice(0, -2)]) await log.file.close();
    for (const log of missed) yield* readRest(log);
  }

  #isKnown(inode: number): boolean {
    return this.#logs.some((log) => log.inode === inode);
  }

  /** The older file, then the newer one: opened first, as it is found again as the older one when it is put aside meanwhile. */
  async #openBoth(): Promise<OpenLog[]> {
    const newer = await openLog(this.#path);
    const older = await openLog(olderLogPath(this.#path));
    const isSame = older !== undefined && older.inode === newer?.inode;
    if (isSame) await older.file.close();
    return [isSame ? undefined : older, newer].filter((log) => log !== undefined);
  }
}

async function* readRest(log: OpenLog): AsyncGenerator<Buffer, void, undefined> {
  const { size } = await log.file.stat();
  if (log.offset > size) log.offset = 0;
  for await (const chunk of readRange(log.file, log.offset, size)) {
    log.offset += chunk.length;
    yield chunk;
  }
}

async function inodeAt(path: string): Promise<number | undefined> {
  return (await ifThere(stat(path)))?.ino;
}

async function openLog(path: string): Promise<OpenLog | undefined> {
  const file = await ifThere(open(path, 'r'));
  return file && { file, inode: (await file.stat()).ino, offset: 0 };
}

async function* readRange(
  file: FileHandle,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = from; offset < to;) {
    const wanted = Math.min(CHUNK_BYTES, to - offset);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
