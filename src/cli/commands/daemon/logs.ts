import { open, type FileHandle } from 'node:fs/promises';
import { buildCommand } from '@stricli/core';
import { delay } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import type { CliContext } from '../../context.ts';
import { bytesOfLastLines } from '../../last-lines.ts';
import { followFlag, parseLineCount } from '../../parameters.ts';

interface Flags {
  readonly follow: boolean;
  readonly tail: number;
}

const POLL_MS = 250;
const CHUNK_BYTES = 65_536;
const MAX_TAIL_BYTES = 16 * 2 ** 20;

/** Reads the file itself: the log matters most when there is no daemon to ask. */
async function printDaemonLogs(this: CliContext, { follow, tail }: Flags): Promise<void> {
  const file = await openLog(this.layout.logPath);
  if (!file) {
    this.output.note(`there is no log yet: ${this.layout.logPath}`);
    return;
  }
  await using _ = file;
  let position = await findTail(file, tail);
  const end = new AbortController();
  void this.output.stdout.broken.then(() => end.abort());
  for (;;) {
    position = await copyFrom(this, file, position);
    if (!follow || end.signal.aborted) return;
    await delay(POLL_MS, { signal: end.signal }).catch(() => {});
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function findTail(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  const length = Math.min(size, MAX_TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return size - length + bytesRead - bytesOfLastLines(buffer.subarray(0, bytesRead), lines);
}

async function copyFrom(
  { output: { stdout } }: CliContext,
  file: FileHandle,
  start: number,
): Promise<number> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = start;
  while (!stdout.failure) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    await stdout.write(Buffer.from(chunk.subarray(0, bytesRead)));
    position += bytesRead;
  }
  return position;
}

export const daemonLogsCommand = buildCommand({
  func: printDaemonLogs,
  parameters: {
    flags: {
      follow: followFlag,
      tail: {
        kind: 'parsed',
        parse: parseLineCount,
        brief: 'How many lines of the end',
        placeholder: 'lines',
        default: '100',
      },
    },
    aliases: { f: 'follow', n: 'tail' },
  },
  docs: {
    brief: "Print the daemon's log",
    fullDescription: `Print the end of the daemon's log, one JSON object a line. Works without a daemon.

  banger daemon logs
  banger daemon logs -f --tail 10`,
  },
});
