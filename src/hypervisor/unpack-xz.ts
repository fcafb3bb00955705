import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { CommandError, runCommand } from '#host/run-command.ts';

export interface UnpackXzOptions extends Abortable {
  /** For a temporary file. */
  workFolder: string;
  maxBytes: number;
}

const MEMORY_LIMIT = '--memlimit-decompress=512MiB';
// RLIMIT_FSIZE in blocks of 512 bytes: what unpacks to more than that ends xz, however small it came.
const SCRIPT = 'ulimit -f "$1" && exec xz --decompress --stdout --single-stream "$2" -- "$3" > "$4"';

export function isXz(bytes: Buffer): boolean {
  return bytes.subarray(0, 6).equals(Buffer.from('fd377a585a00', 'hex'));
}

/** @throws Error when the data is damaged or unpacks to more than `maxBytes`; UserError `HOST_TOOL_MISSING` */
export async function unpackXz(packed: Buffer, options: UnpackXzOptions): Promise<Buffer> {
  const { workFolder, maxBytes, signal } = options;
  const path = `${workFolder}/${randomUUID()}`;
  const [source, target] = [`${path}.xz`, `${path}.plain`];
  try {
    await writeFile(source, packed, { mode: 0o600, signal });
    const limit = String(Math.ceil(maxBytes / 512));
    await runCommand('sh', ['-c', SCRIPT, 'sh', limit, MEMORY_LIMIT, source, target], { signal });
    return await readFile(target);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    if (error.exitCode === 127) throw missingXz(error);
    throw new Error(`the xz data is damaged or unpacks to more than ${maxBytes} bytes`, { cause: error });
  } finally {
    await Promise.all([source, target].map((file) => rm(file, { force: true })));
  }
}

function missingXz(cause: unknown): UserError {
  return new UserError('HOST_TOOL_MISSING', 'Cannot unpack a kernel: this host has no "xz"', {
    hint: 'sudo apt-get install xz-utils',
    cause,
  });
}
