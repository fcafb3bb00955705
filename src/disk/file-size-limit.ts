import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '#base/errors.ts';
import { formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { temporaryPathFor } from '#host/files.ts';

export const SIZE_PROBE_NAME = 'size-probe';

/**
 * A disk grows to its whole size as the guest fills it, so the file system must be able to hold one file of that size.
 *
 * @throws UserError `DISK_TOO_LARGE`
 */
export async function requireFileSizePossible(folder: string, sizeBytes: number): Promise<void> {
  if (Number.isSafeInteger(sizeBytes) && (await canHoldFile(folder, sizeBytes))) return;
  throw new UserError(
    'DISK_TOO_LARGE',
    `Cannot make a disk of ${formatSize(sizeBytes)}: the file system of "${folder}" holds no file of that size`,
    { hint: 'choose a smaller --disk-size' },
  );
}

/**
 * Asked of the file system itself with a sparse file: the limit depends on its kind and block size
 * (ext4 with blocks of 4 KiB: 16 TiB less one block).
 */
async function canHoldFile(folder: string, sizeBytes: number): Promise<boolean> {
  const path = temporaryPathFor(join(folder, SIZE_PROBE_NAME));
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.truncate(sizeBytes);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EFBIG' || systemErrorCode(error) === 'EINVAL') return false;
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}
