import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { ByteSource } from '#oci/layers/byte-source.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import type { MergedTar } from '#oci/layers/merge-layers.ts';
import { readTar, type TarMember } from '#oci/layers/read-tar.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { tarEnd, tarHeader, type NewMember } from '#oci/layers/write-tar-header.ts';

type Details = Partial<NewMember>;

const PLAIN: NewMember = {
  ...{ name: '', type: '0', mode: 0o644, uid: 0, gid: 0, mtime: 1_000_000_000, size: 0 },
  ...{ linkTarget: '', major: 0, minor: 0, xattrs: [] },
};

export function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc(paddedSizeOf(content.length) - content.length)]);
}

/** A member with its content. */
export function member(details: Details, content: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([tarHeader({ ...PLAIN, size: bytes.length, ...details }), padded(bytes)]);
}

export const file = (name: string, content: string | Buffer = name, details: Details = {}) =>
  member({ ...details, name }, content);
export const folder = (name: string, details: Details = {}) =>
  member({ mode: 0o755, ...details, name, type: '5' });
export const symlink = (name: string, linkTarget: string) =>
  member({ name, linkTarget, type: '2', mode: 0o777 });
export const hardLink = (name: string, linkTarget: string) => member({ name, linkTarget, type: '1' });

export const tarOf = (...members: Buffer[]): Buffer => Buffer.concat([...members, tarEnd()]);

export interface LayerOptions {
  compress?: (tar: Buffer) => Buffer;
  diffId?: string;
}

/** A layer as the blob cache has it. */
export async function writeLayer(path: string, tar: Buffer, options: LayerOptions = {}): Promise<LayerFile> {
  await writeFile(path, options.compress?.(tar) ?? tar);
  const diffId = options.diffId ?? `sha256:${createHash('sha256').update(tar).digest('hex')}`;
  return {
    path,
    diffId,
    digest: `sha256:${'d'.repeat(64)}`,
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
  };
}

export interface ReadMember extends TarMember {
  content: string;
}

export function readMerged(merged: MergedTar): Promise<ReadMember[]> {
  return readMembers(merged.open());
}

export async function readMembers(tar: AsyncIterable<Buffer>): Promise<ReadMember[]> {
  await using source = new ByteSource(tar);
  const members: ReadMember[] = [];
  for await (const found of readTar(source)) {
    const content = await source.take(paddedSizeOf(found.size));
    members.push({ ...found, content: content?.subarray(0, found.size).toString() ?? '' });
  }
  return members;
}
