import type { Abortable } from '#base/abort.ts';
import { runDebugfs, type DebugfsTarget } from './run-debugfs.ts';

/** What a file system's root folder shall be like: mke2fs takes these from nowhere. */
export interface RootFolder {
  mode: number;
  uid: number;
  gid: number;
  /** Seconds. */
  mtime: number;
}

const DIRECTORY = 0o040000;

export async function setRootFolder(
  root: RootFolder,
  target: DebugfsTarget,
  options: Abortable,
): Promise<void> {
  const fields = {
    mode: `0${(DIRECTORY | root.mode).toString(8)}`,
    uid: root.uid,
    gid: root.gid,
    mtime: `@${Math.max(0, root.mtime)}`,
  };
  const commands = Object.entries(fields).map(([field, value]) => `set_inode_field / ${field} ${value}\n`);
  await runDebugfs(commands, target, options);
}
