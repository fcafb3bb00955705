import { execFileSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCpio } from '#guest/cpio.ts';
import type { TestHome } from '../test/support/test-home.ts';

const FOLDER = join(import.meta.dirname, 'programs');

export function buildGuestPrograms(): void {
  execFileSync('make', ['-C', FOLDER], { stdio: ['ignore', 'ignore', 'inherit'] });
}

export function readGuestProgram(name: 'power-off-init' | 'echo-init' | 'spawn-timer'): Promise<Buffer> {
  return readFile(join(FOLDER, 'build', name));
}

export interface KernelFiles {
  kernelPath: string;
  uncompressedKernelPath: string;
  initramfsPath: string;
}

/** The kernel that banger itself boots in this home. */
export async function findKernelFiles(home: TestHome): Promise<KernelFiles> {
  const folders = await readdir(home.layout.kernelsDir);
  const [id] = folders.filter((name) => !name.startsWith('.'));
  const folder = join(home.layout.kernelsDir, id as string);
  const files = await readdir(folder);
  const find = (part: string) => join(folder, files.find((name) => name.includes(part)) as string);
  return {
    kernelPath: find('vmlinuz'),
    uncompressedKernelPath: find('vmlinux'),
    initramfsPath: find('initramfs'),
  };
}

/** An initramfs whose only content is this init. */
export async function writeBareInitramfs(path: string, init: Uint8Array): Promise<void> {
  await writeFile(path, writeCpio([{ kind: 'file', path: 'init', mode: 0o755, content: init }]));
}

/** banger's own initramfs with another init: the kernel unpacks archives one over the other. */
export async function writeReplacedInit(
  path: string,
  initramfsPath: string,
  init: Uint8Array,
): Promise<void> {
  const own = await readFile(initramfsPath);
  const other = writeCpio([{ kind: 'file', path: 'init', mode: 0o755, content: init }]);
  const padding = Buffer.alloc((4 - (own.length % 4)) % 4);
  await writeFile(path, Buffer.concat([own, padding, other]));
}
