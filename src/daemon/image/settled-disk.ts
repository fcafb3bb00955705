import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { requireTools } from '#ext4/build-tools.ts';
import { findContainment, runContained } from '#ext4/containment.ts';
import { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import { CommandError, runCommand } from '#host/run-command.ts';

/**
 * Opens the root disk of an image. What a power cut left in its journal is written to where it belongs, in a copy in the work
 * folder: the image is never written.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `HOST_TOOL_MISSING`; the signal's reason
 */
export async function openSettled(
  path: string,
  workFolder: string,
  { signal }: Abortable,
): Promise<Ext4Reader> {
  const reader = await Ext4Reader.open(path);
  if (!reader.superblock.needsRecovery) return reader;
  await reader[Symbol.asyncDispose]();
  const copy = `${workFolder}/settled.ext4`;
  await requireTools('read the image', 'e2fsck', 'setpriv');
  await runCommand('cp', ['--sparse=always', '--reflink=auto', '--no-preserve=mode', '--', path, copy], {
    signal,
  });
  const containment = await findContainment({ signal });
  try {
    await runContained(containment, ['e2fsck', '-y', '-E', 'journal_only', copy], { signal });
  } catch (error) {
    if (!(error instanceof CommandError) || !WAS_REPAIRED.includes(error.exitCode ?? -1))
      throw damaged(error);
  }
  return Ext4Reader.open(copy);
}

/** e2fsck's exit status when it changed what it looked at. */
const WAS_REPAIRED = [1, 2, 3];

function damaged(cause: unknown): unknown {
  if (!(cause instanceof CommandError)) return cause;
  return new UserError('IMAGE_SOURCE_INVALID', 'Cannot read the file system: its journal is damaged', {
    hint: 'have it checked: e2fsck -fn FILE',
    details: { output: cause.stderr },
    cause,
  });
}
