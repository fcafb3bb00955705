import { execFileSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kernel } from '#contract/owner/kernel.ts';
import { writeCpio } from '#guest/cpio.ts';
import type { BangerClient } from '#sdk/index.ts';

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
  timerHz: number | undefined;
}

/** The kernel that banger itself boots in this home. */
export async function findKernel(client: BangerClient): Promise<KernelFiles> {
  const [kernel] = await client.kernels.list();
  const { folder, timerHz } = await client.kernels.get((kernel as Kernel).id);
  const initramfs = (await readdir(folder)).find((name) => name.includes('initramfs'));
  return {
    kernelPath: join(folder, 'vmlinuz'),
    uncompressedKernelPath: join(folder, 'vmlinux'),
    initramfsPath: join(folder, initramfs as string),
    timerHz,
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
