import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MiB } from '#base/sizes.ts';
import type { Layout } from '#contract/layout.ts';

/** Exit status of e2fsck: what was wrong was put right. */
const CORRECTED = 1;

const UNMOUNT_ATTEMPTS = 50;

/** What its tests say when they cannot run. */
export const NEEDS_ROOT = 'needs root, to mount a small file system';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * A file system of its own below a state folder, small enough to be filled. Images and kernels stay where they are and are only
 * mounted into it. Leaving it unmounts all; nothing may be open there by then.
 */
export class SmallFileSystem implements AsyncDisposable {
  readonly #layout: Layout;
  readonly #image: string;
  readonly #mounted: { what: readonly string[]; where: string }[] = [];
  readonly #filling: string;

  private constructor(layout: Layout, image: string) {
    this.#layout = layout;
    this.#image = image;
    this.#filling = join(layout.stateDir, 'filling');
  }

  /** In place of a state folder whose daemon does not run. */
  static async under(layout: Layout, root: string, sizeMiB: number): Promise<SmallFileSystem> {
    const { stateDir } = layout;
    const aside = join(root, 'aside');
    const image = join(root, 'small.ext4');
    await rename(stateDir, aside);
    await mkdir(stateDir, { mode: 0o700 });
    await writeFile(image, '');
    await truncate(image, sizeMiB * MiB);
    // Without the share that only root may fill.
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image]);
    const small = new SmallFileSystem(layout, image);
    try {
      small.#mount(['-o', 'loop,errors=remount-ro', image], stateDir);
      for (const name of ['images', 'kernels']) {
        await mkdir(join(stateDir, name), { mode: 0o700 });
        small.#mount(['--bind', join(aside, name)], join(stateDir, name));
      }
      for (const name of await readdir(aside))
        if (name.startsWith('banger.db')) await cp(join(aside, name), join(stateDir, name));
      return small;
    } catch (error) {
      await small[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Leaves not a single block. */
  async fill(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#layout.stateDir);
    const most = bavail * bsize - 64 * 4096;
    if (most > 0) execFileSync('fallocate', ['--length', String(most), this.#filling]);
    // The rest goes block by block: what a large file takes for itself is not known beforehand.
    for (let index = 0; ; index += 1) {
      try {
        await writeFile(`${this.#filling}.${index}`, Buffer.alloc(4096, 1));
      } catch {
        return;
      }
    }
  }

  async empty(): Promise<void> {
    const { stateDir } = this.#layout;
    const own = (await readdir(stateDir)).filter((name) => name.startsWith(basename(this.#filling)));
    for (const name of own) await rm(join(stateDir, name));
  }

  /** As a host does that finds the file system damaged. */
  async breakDown(): Promise<void> {
    execFileSync('sync', ['--file-system', this.#layout.stateDir]); // what was on its way is lost with it otherwise
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', this.#layout.stateDir], {
      encoding: 'utf8',
    });
    await writeFile(`/sys/fs/ext4/${basename(device.trim())}/trigger_fs_error`, '1');
  }

  /** What a check of the file system at the next boot of the host does; nothing may be open there. */
  repair(): void {
    const mounted = this.#unmount();
    this.#awaitDetached();
    const { status, stderr } = spawnSync('e2fsck', ['-f', '-y', this.#image], { encoding: 'utf8' });
    if (status === null || status > CORRECTED) throw new Error(`e2fsck ended with ${status}: ${stderr}`);
    for (const { what, where } of mounted) this.#mount(what, where);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unmount();
  }

  /** The loop device lets go of its file a moment after the last mount, and until then has a cache of its own. */
  #awaitDetached(): void {
    for (let attempt = 0; ; attempt += 1) {
      const attached = execFileSync('losetup', ['--associated', this.#image], { encoding: 'utf8' });
      if (attached === '') return;
      if (attempt === UNMOUNT_ATTEMPTS) throw new Error(`still attached: ${attached}`);
      spawnSync('sleep', ['0.1']);
    }
  }

  #mount(what: readonly string[], where: string): void {
    execFileSync('mount', [...what, where]);
    this.#mounted.push({ what, where });
  }

  #unmount(): { what: readonly string[]; where: string }[] {
    const mounted = this.#mounted.splice(0);
    for (const { where } of mounted.toReversed()) unmount(where);
    return mounted;
  }
}

/** What a process had open is let go of a moment after its end. */
function unmount(path: string): void {
  for (let attempt = 0; ; attempt += 1) {
    const { status, stderr } = spawnSync('umount', [path], { encoding: 'utf8' });
    if (status === 0) return;
    if (attempt === UNMOUNT_ATTEMPTS) throw new Error(`umount ${path}: ${stderr}`);
    spawnSync('sleep', ['0.1']);
  }
}
