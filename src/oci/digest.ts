import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Abortable } from '#base/abort.ts';

/** Bytes read at once when a file is hashed. */
const CHUNK = 2 ** 20;

/** `sha256:` and 64 lower-case hex digits: the one algorithm that registries use in practice. */
export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The digest of a file's content. */
export async function digestOfFile(path: string, { signal }: Abortable = {}): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return `sha256:${hash.digest('hex')}`;
}
