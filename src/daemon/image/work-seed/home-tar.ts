import { Readable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import type { TarStream } from '#ext4/tar-stream.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { MEMBER_TYPES, tarEnd, tarHeader } from '#oci/layers/write-tar-header.ts';
import type { Home, HomeEntry } from './home.ts';

const SAME_FILE = '1';

/** A home folder as the tar of a file system whose top it is. The reader is read while the tar is. */
export function homeTar(home: Home, reader: Ext4Reader): TarStream {
  const { mode, mtime, attributes, entries } = home;
  return {
    open: ({ signal }: Abortable) => Readable.from(membersOf(entries, reader, signal), { objectMode: false }),
    attributes: () => [
      ...attributes.map((attribute) => ({ path: '/', ...attribute })),
      ...entries.flatMap(({ path, attributes: own }) => own.map((attribute) => ({ path, ...attribute }))),
    ],
    root: { mode, uid: 0, gid: 0, mtime },
  };
}

async function* membersOf(
  entries: readonly HomeEntry[],
  reader: Ext4Reader,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    signal?.throwIfAborted();
    yield headerOf(entry);
    if (entry.sameAs !== undefined) continue;
    const { content } = entry;
    if ('bytes' in content) yield content.bytes;
    else yield* reader.content(content.inode);
    yield Buffer.alloc(paddedSizeOf(content.size) - content.size);
  }
  yield tarEnd();
}

function headerOf({ path, kind, sameAs, content, attributes, target, ...entry }: HomeEntry): Buffer {
  const name = `./${path}${kind === 'directory' ? '/' : ''}`;
  if (sameAs !== undefined)
    return tarHeader({ ...entry, name, type: SAME_FILE, linkTarget: `./${sameAs}`, size: 0, xattrs: [] });
  const type = MEMBER_TYPES[kind];
  return tarHeader({ ...entry, name, type, linkTarget: target, size: content.size, xattrs: attributes });
}
