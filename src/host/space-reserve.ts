import { rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { freeSpaceBytes } from './capabilities.ts';
import { pathExists, writeFileAtomic } from './files.ts';
import { dirname } from 'node:path';

const RESERVE_BYTES = 2 * 2 ** 20;
/** What others may use begins above that, so that they do not use up what was given back. */
const OWN_BYTES = 4 * RESERVE_BYTES;
/** Not taken from a file system that is nearly full anyway. */
const PLENTY = 32;

/**
 * A file that keeps room for when there is none left: also what frees room, such as the deletion of a VM, has to write a little
 * before it can.
 */
export class SpaceReserve {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes the reserve when it is not there and there is plenty of room. */
  async keep(): Promise<void> {
    if (await pathExists(this.#path)) return;
    if ((await freeSpaceBytes(dirname(this.#path))) < RESERVE_BYTES * PLENTY) return;
    // Some file systems keep no room for zeros.
    await writeFileAtomic(this.#path, randomBytes(RESERVE_BYTES));
  }

  /** Whether there is room for others than the reserve's owner. */
  async leavesRoom(): Promise<boolean> {
    return (await freeSpaceBytes(dirname(this.#path))) > OWN_BYTES;
  }

  /** Gives the room back; false when there is no reserve. Synchronous, for whoever writes next. */
  release(): boolean {
    try {
      rmSync(this.#path);
      return true;
    } catch {
      return false; // none there, or nothing can be changed there at all: either way there is no room
    }
  }
}
