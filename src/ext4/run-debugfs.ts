import { rm, writeFile } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { runCommand } from '#host/run-command.ts';
import { BUILD_ENVIRONMENT } from './build-tools.ts';

export interface DebugfsTarget {
  imagePath: string;
  /** A folder that the caller removes. */
  workFolder: string;
}

/**
 * Edits an ext4 image. The commands are bytes, one in each character, each with its line end.
 *
 * @throws UserError `IMAGE_BUILD_FAILED` when one of them fails
 */
export async function runDebugfs(
  commands: readonly string[],
  { imagePath, workFolder }: DebugfsTarget,
  { signal }: Abortable = {},
): Promise<void> {
  const script = `${workFolder}/debugfs-commands`;
  try {
    await writeFile(script, commands.join(''), 'latin1');
    const { stderr } = await runCommand('debugfs', ['-w', '-f', script, imagePath], {
      signal,
      env: BUILD_ENVIRONMENT,
    });
    refuseComplaints(stderr);
  } finally {
    await rm(script, { force: true });
  }
}

/** debugfs goes on after a failed command and ends with status 0; its first line is its version. */
function refuseComplaints(stderr: string): void {
  const complaint = stderr.split('\n').find((line) => line !== '' && !/^debugfs \d/.test(line));
  if (complaint === undefined) return;
  throw new UserError('IMAGE_BUILD_FAILED', `Cannot edit the file system of the image: ${complaint}`, {
    hint: 'an extended attribute that does not fit into a block of 4 KiB cannot be kept',
  });
}
