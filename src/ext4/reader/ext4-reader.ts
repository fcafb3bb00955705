import { open, type FileHandle } from 'node:fs/promises';
import { accessListFromDisk } from './access-list.ts';
import { parseAttributeEntries, valueAt, type AttributeEntry } from './attribute-entries.ts';
import { BlockCache } from './block-cache.ts';
import { blockRanges } from './block-ranges.ts';
import { parseFolderBlock, type FolderEntry } from './folder-entries.ts';
import { parseInode, type Inode } from './inode.ts';
import { parseSuperblock, SUPERBLOCK, type Superblock } from './superblock.ts';
import { unreadable } from './unreadable.ts';

export interface Attribute {
  /** `security.capability` */
  name: string;
  value: Buffer;
}

export const ROOT_INODE = 2;

const CHUNK_BYTES = 2 ** 20;
const MAX_FOLDER_BYTES = 64 * 2 ** 20;
const MAX_SYMLINK_BYTES = 4095;
/** Of the blocks that say where things are; what is honest comes nowhere near. */
const MAX_READS = 4_000_000;
const ATTRIBUTES_MAGIC = 0xea020000;
const ATTRIBUTE_BLOCK_HEADER = 32;
const INLINE_CONTENT = 'system.data';
const ACCESS_LISTS = ['system.posix_acl_access', 'system.posix_acl_default'];

/**
 * Reads an ext2, ext3 or ext4 file system without mounting it. Whoever made it may have wanted to do harm: each method
 * throws a UserError `IMAGE_SOURCE_INVALID` where it is not as it should be.
 */
export class Ext4Reader implements AsyncDisposable {
  readonly superblock: Superblock;
  readonly #file: FileHandle;
  readonly #blocks: BlockCache;

  static async open(path: string): Promise<Ext4Reader> {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(SUPERBLOCK.bytes);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, SUPERBLOCK.offset);
      if (bytesRead !== bytes.length) throw unreadable('it is not ext4');
      return new Ext4Reader(file, parseSuperblock(bytes));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(file: FileHandle, superblock: Superblock) {
    this.superblock = superblock;
    this.#file = file;
    this.#blocks = new BlockCache(file, { ...superblock, maxReads: MAX_READS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async inode(number: number): Promise<Inode> {
    const { inodes, inodesPerGroup, inodeBytes, blockBytes } = this.superblock;
    if (number < 1 || number > inodes) throw unreadable(`it names inode ${number}, which it does not have`);
    const table = await this.#inodeTable(Math.floor((number - 1) / inodesPerGroup));
    const offset = ((number - 1) % inodesPerGroup) * inodeBytes;
    const block = await this.#blocks.read(table + Math.floor(offset / blockBytes));
    const at = offset % blockBytes;
    return parseInode(number, block.subarray(at, at + inodeBytes));
  }

  /** What is in a folder, in no order. */
  async folder(inode: Inode): Promise<FolderEntry[]> {
    if (inode.size > MAX_FOLDER_BYTES) throw unreadable(`a folder takes ${inode.size} bytes`);
    const { blockBytes, hasFileTypes } = this.superblock;
    const content = await this.#whole(inode);
    if (inode.isInline) return inlineFolder(content, hasFileTypes);
    const entries: FolderEntry[] = [];
    for (let at = 0; at < content.length; at += blockBytes) {
      const block = content.subarray(at, at + blockBytes);
      // A hole is a damaged folder to ext4 as well; e2fsck takes it away.
      entries.push(...parseFolderBlock(block, hasFileTypes));
    }
    return entries;
  }

  /** Where a symbolic link leads. Bytes, one in each character. */
  async linkTarget(inode: Inode): Promise<string> {
    if (inode.size === 0 || inode.size > MAX_SYMLINK_BYTES) throw unreadable('a symbolic link is damaged');
    const isFast = inode.size < inode.map.length && !inode.isInline;
    const bytes = isFast ? inode.map.subarray(0, inode.size) : await this.#whole(inode);
    if (bytes.includes(0)) throw unreadable('a symbolic link is damaged');
    return bytes.toString('latin1');
  }

  /** A file's bytes, holes filled. */
  async *content(inode: Inode): AsyncGenerator<Buffer> {
    if (inode.isInline) {
      yield await this.#inlineContent(inode);
      return;
    }
    const { blockBytes } = this.superblock;
    let done = 0;
    for await (const { first, count, at } of blockRanges(inode, this.#blocks)) {
      if (first * blockBytes >= inode.size) break;
      yield* zeros(first * blockBytes - done);
      done = first * blockBytes;
      for (let index = 0; index < count && done < inode.size;) {
        const step = Math.min(count - index, CHUNK_BYTES / blockBytes);
        const chunk = await this.#blocks.readRange(at + index, step);
        yield chunk.subarray(0, inode.size - done);
        done += chunk.length;
        index += step;
      }
    }
    if (done < inode.size) yield* zeros(inode.size - done);
  }

  async attributes(inode: Inode): Promise<Attribute[]> {
    const entries = [...(await this.#ownAttributes(inode)), ...(await this.#blockAttributes(inode))];
    return entries.filter(({ name }) => name !== INLINE_CONTENT).map(asPrograms);
  }

  async #inodeTable(group: number): Promise<number> {
    const { blockBytes, descriptorBytes, firstDataBlock } = this.superblock;
    const offset = group * descriptorBytes;
    const block = await this.#blocks.read(firstDataBlock + 1 + Math.floor(offset / blockBytes));
    const at = offset % blockBytes;
    const high = descriptorBytes >= 64 ? block.readUInt32LE(at + 0x28) : 0;
    return block.readUInt32LE(at + 0x8) + high * 2 ** 32;
  }

  async #whole(inode: Inode): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.content(inode)) parts.push(part);
    return Buffer.concat(parts);
  }

  /** What does not fit into the inode's own place for it is an extended attribute. */
  async #inlineContent(inode: Inode): Promise<Buffer> {
    const attributes = await this.#ownAttributes(inode);
    const rest = attributes.find(({ name }) => name === INLINE_CONTENT)?.value ?? Buffer.alloc(0);
    const content = Buffer.concat([inode.map, rest]);
    if (inode.size > content.length) throw unreadable('a small file is damaged');
    return content.subarray(0, inode.size);
  }

  #ownAttributes({ extra }: Inode): Promise<Attribute[]> {
    if (extra.length < 8 || extra.readUInt32LE(0) !== ATTRIBUTES_MAGIC) return Promise.resolve([]);
    const place = extra.subarray(4);
    return this.#values(parseAttributeEntries(place, 0), place);
  }

  async #blockAttributes({ attributeBlock }: Inode): Promise<Attribute[]> {
    if (attributeBlock === 0) return [];
    const block = await this.#blocks.read(attributeBlock);
    if (block.readUInt32LE(0) !== ATTRIBUTES_MAGIC) throw unreadable('extended attributes are damaged');
    return this.#values(parseAttributeEntries(block, ATTRIBUTE_BLOCK_HEADER), block);
  }

  async #values(entries: readonly AttributeEntry[], place: Buffer): Promise<Attribute[]> {
    const found: Attribute[] = [];
    for (const { name, size, value } of entries) {
      if ('offset' in value) found.push({ name, value: valueAt(place, value.offset, size) });
      else found.push({ name, value: await this.#valueInode(value.inode, size) });
    }
    return found;
  }

  async #valueInode(number: number, size: number): Promise<Buffer> {
    const inode = await this.inode(number);
    if (inode.kind !== 'file' || inode.size !== size) throw unreadable('extended attributes are damaged');
    return this.#whole(inode);
  }
}

/** The parent's inode, then records; what else is in it begins anew after the inode's own place. */
function inlineFolder(content: Buffer, hasFileTypes: boolean): FolderEntry[] {
  const [own, rest] = [content.subarray(4, INLINE_BYTES), content.subarray(INLINE_BYTES)];
  return [own, rest].flatMap((part) => (part.length === 0 ? [] : parseFolderBlock(part, hasFileTypes)));
}

const INLINE_BYTES = 60;

function asPrograms({ name, value }: Attribute): Attribute {
  return { name, value: ACCESS_LISTS.includes(name) ? accessListFromDisk(value) : Buffer.from(value) };
}

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) yield Buffer.alloc(Math.min(left, CHUNK_BYTES));
}
