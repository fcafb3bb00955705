import assert from 'node:assert/strict';
import { runCommand } from '#host/run-command.ts';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export const run = (program: string, args: readonly string[]) => runCommand(program, args, { env: { PATH } });

export interface Ext4Entry {
  inode: number;
  /** `regular`, `directory`, `symlink`, `FIFO`, `character special`, … */
  type: string;
  mode: number;
  owner: string;
  device: string | undefined;
  mtime: number;
}

/** What an ext4 file says about one of its files, read without mounting it. */
export async function readExt4Entry(image: string, path: string): Promise<Ext4Entry> {
  const { stdout } = await run('debugfs', ['-R', `stat "${path}"`, image]);
  const head = /Inode: (\d+)\s+Type: (\w[\w ]*?)\s+Mode:\s+(\d+)/.exec(stdout);
  const owner = /User:\s+(\d+)\s+Group:\s+(\d+)/.exec(stdout);
  const mtime = /mtime: 0x([0-9a-f]+)/.exec(stdout);
  assert.ok(head && owner && mtime, `no entry for "${path}": ${stdout}`);
  const device = /Device major\/minor number: (\d+):(\d+)/.exec(stdout);
  return {
    inode: Number(head[1]),
    type: head[2]!,
    mode: parseInt(head[3]!, 8),
    owner: `${owner[1]}:${owner[2]}`,
    device: device ? `${Number(device[1])}:${Number(device[2])}` : undefined,
    mtime: parseInt(mtime[1]!, 16),
  };
}
