import { chmod, mkdir, rm } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { syncFile } from '#ext4/sparse-file.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { runCommand } from '#host/run-command.ts';
import { openSettled } from '../settled-disk.ts';
import type { WorkContext } from '../shared-work.ts';
import { addAuthorizedKey } from './add-authorized-key.ts';
import { homeTar } from './home-tar.ts';
import type { HomeLimits } from './home-limits.ts';
import type { PublicKey } from './public-key.ts';
import { readHome } from './read-home.ts';
import { SEED_FILE } from './seed-record.ts';
import { SEED_JOURNAL_MIB, seedSize } from './seed-size.ts';

export interface SeedTask {
  rootDiskPath: string;
  key: PublicKey | undefined;
  /** What is made. */
  path: string;
  /** Exists; removed by the caller when this rejects. */
  folder: string;
  limits?: Partial<HomeLimits> | undefined;
}

const LABEL = 'banger-work';

/**
 * Makes a file system of what an image has in `/root`.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_TOO_LARGE`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
 */
export async function makeSeed(task: SeedTask, context: WorkContext): Promise<void> {
  const workFolder = `${task.folder}/work`;
  await mkdir(workFolder, { mode: 0o700 });
  try {
    await make(task, workFolder, context);
  } catch (error) {
    context.signal.throwIfAborted();
    const hint = 'see the last lines of the tool in the details';
    throw explainToolFailure(error, { action: 'make a work seed', code: 'IMAGE_BUILD_FAILED', hint });
  }
  await rm(workFolder, { recursive: true });
}

async function make(task: SeedTask, workFolder: string, { signal, report }: WorkContext): Promise<void> {
  report.stage('read-home');
  await using reader = await openSettled(task.rootDiskPath, workFolder, { signal });
  const found = await readHome(reader, { signal, ...(task.limits && { limits: task.limits }) });
  const home = task.key === undefined ? found : await addAuthorizedKey(found, task.key, reader);
  report.stage('make-file-system');
  const path = `${workFolder}/${SEED_FILE}`;
  const sizeBytes = seedSize(home.entries);
  const source = { tarStream: homeTar(home, reader) };
  const shape = { label: LABEL, journalMiB: SEED_JOURNAL_MIB };
  await makeFilesystem({ ...shape, path, sizeBytes, source, workFolder }, { signal });
  await copySparse(path, task.path, { signal });
}

/** Without the empty space that mke2fs reserves for the journal, which is most of what a small seed would take. */
async function copySparse(source: string, target: string, { signal }: Abortable): Promise<void> {
  await runCommand('cp', ['--sparse=always', '--reflink=never', '--', source, target], { signal });
  await chmod(target, 0o444);
  await syncFile(target);
}
