import { formatSize } from '#base/sizes.ts';
import type { Layout } from '#contract/layout.ts';
import { freeSpaceBytes } from '#host/capabilities.ts';
import { sizeIfThere } from '#host/files.ts';
import { fail, pass, type Check } from './check.ts';
import { judgeFreeSpace } from './machine-checks.ts';

export interface StoreCheckOptions {
  layout: Layout;
  /** What SQLite finds wrong with the file. @throws UserError `STORE_UNREADABLE`, `STORE_TOO_NEW` */
  findDamage: (path: string) => string | undefined;
}

/** What is kept, and the room for more. */
export function storeChecks({ layout, findDamage }: StoreCheckOptions): Check[] {
  return [
    {
      name: 'store',
      examine: async () => {
        const size = await sizeIfThere(layout.databasePath);
        if (size === undefined) return pass('nothing kept yet');
        const damage = findDamage(layout.databasePath);
        if (damage === undefined) return pass(`${layout.databasePath}, ${formatSize(size)}`);
        return fail(`${layout.databasePath} is damaged: ${damage}`, 'restore the file from a backup');
      },
    },
    {
      name: 'disk-space',
      examine: async () => {
        const folder = await nearestFolder(layout.stateDir);
        return judgeFreeSpace(await freeSpaceBytes(folder), folder);
      },
    },
  ];
}

/** Before the first start only something above the folder is there. */
async function nearestFolder(path: string): Promise<string> {
  const isThere = (await sizeIfThere(path)) !== undefined;
  return isThere || path === '' ? path || '/' : nearestFolder(path.slice(0, path.lastIndexOf('/')));
}
