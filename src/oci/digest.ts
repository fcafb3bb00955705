import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Abortable } from '#base/abort.ts';

/** Bytes read at once when a file is hashed. */
const CHUNK = 2 ** 20;

/** `sha256:` and 64 lower-case hex digits: the one algorithm that registries use in practice. */
export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The digits alone: what files are called. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Of what a hash has taken in; it takes no more then. */
export function digestFrom(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`;
}

export function digestOf(bytes: Uint8Array): string {
  return digestFrom(createHash('sha256').update(bytes));
}

/** The digest of a file's content. */
export async function digestOfFile(path: string, { signal }: Abortable = {}): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return digestFrom(hash);
}
