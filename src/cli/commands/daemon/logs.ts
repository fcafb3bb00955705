import { open, type FileHandle } from 'node:fs/promises';
import { buildCommand } from '@stricli/core';
import { delay } from '#base/backoff.ts';
import { ifThere } from '#base/if-there.ts';
import { olderLogPath } from '#base/older-log-path.ts';
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
  const { logPath } = this.layout;
  await using file = await ifThere(open(logPath, 'r'));
  if (!file) {
    this.output.note(`there is no log yet: ${logPath}`);
    return;
  }
  let position = await printTail(this, file, tail);
  const end = new AbortController();
  void this.output.stdout.broken.then(() => end.abort());
  for (;;) {
    position = await printNew(this, file, position);
    if (!follow || end.signal.aborted) return;
    await delay(POLL_MS, { signal: end.signal }).catch(() => {});
  }
}

/** Prints what the last lines need of the older log; says where in the newer one they go on. */
async function printTail(context: CliContext, file: FileHandle, lines: number): Promise<number> {
  await using older = await ifThere(open(olderLogPath(context.layout.logPath), 'r'));
  const { size } = await file.stat();
  const newest = await readBefore(file, size);
  const before = older ? await readBefore(older, (await older.stat()).size) : Buffer.alloc(0);
  const wanted = bytesOfLastLines(Buffer.concat([before, newest]), lines);
  const fromBefore = wanted - newest.length;
  if (fromBefore > 0) await context.output.stdout.write(before.subarray(before.length - fromBefore));
  return size - Math.min(wanted, newest.length);
}

/** A full log is copied away and cut: what was not printed yet is then in the copy, at the same place. */
async function printNew(context: CliContext, file: FileHandle, position: number): Promise<number> {
  if ((await file.stat()).size >= position) return copyFrom(context, file, position);
  await using older = await ifThere(open(olderLogPath(context.layout.logPath), 'r'));
  if (older) await copyFrom(context, older, position);
  return copyFrom(context, file, 0);
}

async function readBefore(file: FileHandle, end: number): Promise<Buffer> {
  const length = Math.min(end, MAX_TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, end - length);
  return buffer.subarray(0, bytesRead);
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
