import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { ByteSource } from '#oci/layers/byte-source.ts';
import { readTar } from '#oci/layers/read-tar.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';

/** All that can be known of the files below a folder, a line each, hard links and extended attributes included; needs root. */
export async function listTree(folder: string, scratch: string): Promise<string[]> {
  const flags = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--format=pax', '--sort=name'];
  const ignored = ['--exclude=./lost+found', '--pax-option=delete=atime,delete=ctime'];
  execFileSync('tar', ['--create', '--file', scratch, ...flags, ...ignored, '-C', folder, '.']);
  const lines = await listTar(scratch);
  await rm(scratch);
  return lines;
}

/** The same of a file system in a file. */
export async function listMounted(path: string, scratch: string): Promise<string[]> {
  const mountPoint = `${scratch}/mounted`;
  await mkdir(mountPoint);
  execFileSync('mount', ['-o', 'loop,ro', path, mountPoint]);
  try {
    return await listTree(mountPoint, `${scratch}/mounted.tar`);
  } finally {
    execFileSync('umount', [mountPoint]);
    await rm(mountPoint, { recursive: true });
  }
}

/** The same of a tar, in its order. */
export async function listTar(path: string): Promise<string[]> {
  const lines: string[] = [];
  await using source = new ByteSource(createReadStream(path) as AsyncIterable<Buffer>);
  for await (const member of readTar(source)) {
    const { name, type, mode, uid, gid, size, mtime, linkTarget, major, minor, xattrs } = member;
    const hash = createHash('sha256');
    await source.deliver(size, (piece) => void hash.update(piece));
    await source.skip(paddedSizeOf(size) - size);
    const attributes = xattrs.map((xattr) => `${xattr.name}=${xattr.value.toString('hex')}`).toSorted();
    const content = type === '0' ? hash.digest('hex').slice(0, 16) : '';
    const numbers = [mode.toString(8), uid, gid, size, mtime, major, minor].join(' ');
    lines.push([JSON.stringify(name), type, numbers, linkTarget, content, ...attributes].join(' '));
  }
  return lines;
}
