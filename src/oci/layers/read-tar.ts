import type { ByteSource } from './byte-source.ts';
import { ExtendedHeaders, isExtension } from './extended-headers.ts';
import { LayerFault, shownName } from './layer-fault.ts';
import type { PaxValues, Xattr } from './pax-records.ts';
import { parseTarHeader, TAR_BLOCK, type TarHeader } from './tar-header.ts';

/** A member with what its extended headers say. What follows it in the source is its content: take it, or skip it. */
export interface TarMember extends TarHeader {
  /** Place in the tar, extended headers not counted. */
  index: number;
  xattrs: readonly Xattr[];
}

/** Of these a header may name a size, but no content follows. */
const HEADER_ONLY = '123456';
const KNOWN_TYPES = '\x0001234567';
const NONE: readonly Xattr[] = [];

/**
 * Reads a tar member by member: ustar, pax and GNU headers, names byte for byte. The caller takes or skips each member's content,
 * `paddedSizeOf(member.size)` bytes, before it asks for the next one.
 *
 * @throws LayerFault when it is damaged, or of a kind that is not supported
 */
export async function* readTar(source: ByteSource): AsyncGenerator<TarMember> {
  let extended = new ExtendedHeaders();
  let index = 0;
  for (;;) {
    const block = await source.take(TAR_BLOCK);
    if (block === undefined || isZero(block)) return refuseGarbage(source);
    const header = parseTarHeader(block);
    if (isExtension(header)) {
      await extended.take(source, header);
      continue;
    }
    yield toMember(header, extended.values, index);
    extended = new ExtendedHeaders();
    index += 1;
  }
}

function toMember(header: TarHeader, pax: PaxValues, index: number): TarMember {
  const name = pax.path ?? header.name;
  if (!KNOWN_TYPES.includes(header.type)) {
    const condition = header.type === 'S' ? 'is sparse, which is not supported' : 'is of an unknown type';
    throw new LayerFault(`the member ${shownName(name)} ${condition}`);
  }
  const type = header.type === '\0' || header.type === '7' ? '0' : header.type;
  const size = HEADER_ONLY.includes(type) ? 0 : (pax.size ?? header.size);
  if (size < 0) throw new LayerFault(`the member ${shownName(name)} has a negative size`);
  return {
    ...{ name, index, size, xattrs: pax.xattrs ? [...pax.xattrs.values()] : NONE },
    type: type === '0' && name.endsWith('/') && size === 0 ? '5' : type,
    linkTarget: pax.linkpath ?? header.linkTarget,
    mode: header.mode & 0o7777,
    uid: pax.uid ?? header.uid,
    gid: pax.gid ?? header.gid,
    mtime: pax.mtime ?? header.mtime,
    major: header.major,
    minor: header.minor,
  };
}

async function refuseGarbage(source: ByteSource): Promise<void> {
  for (;;) {
    const block = await source.take(TAR_BLOCK);
    if (block === undefined) return;
    if (!isZero(block)) throw new LayerFault('the tar has something after its end');
  }
}

const ZEROES = Buffer.alloc(TAR_BLOCK);

function isZero(block: Buffer): boolean {
  return block.equals(ZEROES);
}
