import type { FileHandle } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { countDirectoryBlocks, directoryBlocks, type DirectoryEntry } from './directory.ts';
import {
  extentLeaf,
  extentsPerLeaf,
  inlineExtents,
  inlineIndex,
  INODE_EXTENTS,
  type Extent,
} from './extents.ts';
import {
  deviceMap,
  EXTENTS_FLAG,
  FILE_TYPE,
  INLINE_TARGET_BYTES,
  inodeSeed,
  writeInode,
  type InodeFields,
} from './inode.ts';
import type { Superblock } from './superblock.ts';
import type { BlockAllocator } from './block-allocator.ts';
import type { BlockGroups } from './block-groups.ts';
import type { ContentPlaces } from './content-places.ts';
import type { TreeNode } from './file-tree.ts';
import type { InodeNumbers, NumberedNode } from './inode-numbers.ts';
import { LOST_AND_FOUND } from './lost-and-found.ts';
import { SequentialWriter } from './sequential-writer.ts';

export interface NodeWriterOptions {
  file: FileHandle;
  superblock: Superblock;
  groups: BlockGroups;
  allocator: BlockAllocator;
  numbers: InodeNumbers;
  /** Learns where the contents of the files go. */
  places: ContentPlaces;
}

/** What an inode says of its blocks. */
type Mapping = Pick<InodeFields, 'size' | 'sectors' | 'flags' | 'map'>;

const SECTOR_BYTES = 512;
/** e2fsck adds no block to it. */
const LOST_AND_FOUND_BLOCKS = 4;
const NODES_BETWEEN_LOOKS = 1000;

/** Writes inodes, folders and symlinks, and finds a place for each file's content. */
export class NodeWriter {
  readonly #options: NodeWriterOptions;
  readonly #inodes: SequentialWriter;
  readonly #blocks: SequentialWriter;

  constructor(options: NodeWriterOptions) {
    this.#options = options;
    this.#inodes = new SequentialWriter(options.file);
    this.#blocks = new SequentialWriter(options.file);
  }

  async writeAll({ signal }: Abortable): Promise<void> {
    for (const [index, numbered] of this.#options.numbers.nodes.entries()) {
      if (index % NODES_BETWEEN_LOOKS === 0) signal?.throwIfAborted();
      await this.#write(numbered);
    }
    await this.#inodes.flush();
    await this.#blocks.flush();
  }

  async #write(numbered: NumberedNode): Promise<void> {
    const { superblock, groups, numbers } = this.#options;
    const { node, number } = numbered;
    const seed = inodeSeed(number, superblock);
    const mapping = await this.#map(numbered, seed);
    const { kind, mode, uid, gid, mtime } = node.inode;
    const bytes = Buffer.alloc(superblock.inodeBytes);
    const links = numbers.linksOf(node);
    writeInode(bytes, { mode: FILE_TYPE[kind] | mode, uid, gid, mtime, links, ...mapping }, seed);
    await this.#inodes.write(groups.inodeOffset(number), bytes);
  }

  async #map(numbered: NumberedNode, seed: number): Promise<Mapping> {
    const { inode, children } = numbered.node;
    if (children) return this.#mapFolder(numbered, children, seed);
    if (inode.kind === 'file') {
      const extents = await this.#options.allocator.take(this.#blocksFor(inode.size));
      this.#options.places.set(inode, extents);
      return this.#mapExtents(extents, inode.size, seed);
    }
    if (inode.kind === 'symlink') return this.#mapSymlink(Buffer.from(inode.target, 'latin1'), seed);
    const map = inode.kind === 'fifo' ? Buffer.alloc(60) : deviceMap(inode);
    return { size: 0, sectors: 0, flags: 0, map };
  }

  async #mapFolder(
    { node, number, parent }: NumberedNode,
    children: ReadonlyMap<string, TreeNode>,
    seed: number,
  ): Promise<Mapping> {
    const { superblock, allocator } = this.#options;
    const { blockBytes } = superblock;
    const least =
      node.name === LOST_AND_FOUND && number === superblock.firstInode ? LOST_AND_FOUND_BLOCKS : 1;
    const blocks = Math.max(least, countDirectoryBlocks(children.keys(), blockBytes));
    const extents = await allocator.take(blocks);
    const bytes = directoryBlocks(this.#entriesOf({ number, parent }, children), {
      blocks,
      blockBytes,
      seed,
    });
    for (const { logical, start, length } of extents) {
      const piece = bytes.subarray(logical * blockBytes, (logical + length) * blockBytes);
      await this.#blocks.write(start * blockBytes, piece);
    }
    return this.#mapExtents(extents, bytes.length, seed);
  }

  *#entriesOf(
    { number, parent }: { number: number; parent: number },
    children: ReadonlyMap<string, TreeNode>,
  ): Generator<DirectoryEntry> {
    yield { name: '.', inode: number, type: FILE_TYPE.directory };
    yield { name: '..', inode: parent, type: FILE_TYPE.directory };
    for (const child of children.values()) {
      const inode = this.#options.numbers.numberOf(child);
      yield { name: child.name, inode, type: FILE_TYPE[child.inode.kind] };
    }
  }

  async #mapSymlink(target: Buffer, seed: number): Promise<Mapping> {
    if (target.length < INLINE_TARGET_BYTES) {
      const map = Buffer.alloc(60);
      target.copy(map);
      return { size: target.length, sectors: 0, flags: 0, map };
    }
    const extents = await this.#options.allocator.take(1);
    await this.#blocks.write((extents[0]?.start ?? 0) * this.#options.superblock.blockBytes, target);
    return this.#mapExtents(extents, target.length, seed);
  }

  async #mapExtents(extents: readonly Extent[], size: number, seed: number): Promise<Mapping> {
    const blocks = extents.reduce((sum, { length }) => sum + length, 0);
    const { map, leaves } = await this.#writeExtents(extents, seed);
    const sectors = ((blocks + leaves) * this.#options.superblock.blockBytes) / SECTOR_BYTES;
    return { size, sectors, flags: EXTENTS_FLAG, map };
  }

  async #writeExtents(extents: readonly Extent[], seed: number): Promise<{ map: Buffer; leaves: number }> {
    if (extents.length <= INODE_EXTENTS) return { map: inlineExtents(extents), leaves: 0 };
    const { superblock, allocator } = this.#options;
    const each = extentsPerLeaf(superblock.blockBytes);
    const parts = Array.from({ length: Math.ceil(extents.length / each) }, (_, index) =>
      extents.slice(index * each, (index + 1) * each),
    );
    // Its groups are too few for more: each file is cut at most twice in each.
    if (parts.length > INODE_EXTENTS) throw new RangeError('a file of too many extents');
    const leaves = [];
    for (const part of parts) {
      const [{ start: block } = { start: 0 }] = await allocator.take(1);
      const bytes = extentLeaf(part, superblock.blockBytes, seed);
      await this.#blocks.write(block * superblock.blockBytes, bytes);
      leaves.push({ logical: part[0]?.logical ?? 0, block });
    }
    return { map: inlineIndex(leaves), leaves: leaves.length };
  }

  #blocksFor(bytes: number): number {
    return Math.ceil(bytes / this.#options.superblock.blockBytes);
  }
}
