export type CpioEntry =
  | { kind: 'folder'; path: string; mode: number }
  | { kind: 'file'; path: string; mode: number; content: Uint8Array }
  | { kind: 'device'; path: string; mode: number; major: number; minor: number };

const FILE_TYPE = { folder: 0o040000, file: 0o100000, device: 0o020000 } as const;
const TRAILER = 'TRAILER!!!';

/**
 * A cpio archive in the "newc" form, the one the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst).
 * Everything belongs to root and has time 0: the same entries always give the same bytes.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const chunks = entries.flatMap((entry, index) => memberChunks(entry, index + 1));
  chunks.push(...padded(header(TRAILER, { links: 1 })));
  return concatenate(chunks);
}

function memberChunks(entry: CpioEntry, inode: number): Uint8Array[] {
  const content = entry.kind === 'file' ? entry.content : new Uint8Array();
  const head = header(entry.path, {
    inode,
    mode: FILE_TYPE[entry.kind] | entry.mode,
    links: entry.kind === 'folder' ? 2 : 1,
    size: content.length,
    ...(entry.kind === 'device' ? { major: entry.major, minor: entry.minor } : {}),
  });
  return [...padded(head), ...padded(content)];
}

interface HeaderFields {
  inode?: number;
  mode?: number;
  links: number;
  size?: number;
  major?: number;
  minor?: number;
}

function header(path: string, fields: HeaderFields): Uint8Array {
  const name = new TextEncoder().encode(`${path}\0`);
  const numbers = [
    fields.inode ?? 0,
    fields.mode ?? 0,
    0, // uid
    0, // gid
    fields.links,
    0, // mtime
    fields.size ?? 0,
    0, // device it was on
    0,
    fields.major ?? 0,
    fields.minor ?? 0,
    name.length,
    0, // checksum: only in the "crc" form
  ];
  const text = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return concatenate([new TextEncoder().encode(text), name]);
}

/** Headers (with their name) and contents each end on a multiple of 4 bytes. */
function padded(bytes: Uint8Array): Uint8Array[] {
  return [bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)];
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
