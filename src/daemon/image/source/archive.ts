import { mkdir } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { CommandError, runCommand } from '#host/run-command.ts';

/** The file that tells an image archive from the tar of a root file system. */
const MARKERS = ['oci-layout', 'manifest.json'];

/**
 * Unpacks an archive of images below the work folder. Undefined when the tar is not one.
 *
 * What is in it has no say: names that are absolute, go up or lead through a link that does, stay inside (GNU tar makes such
 * links last), and only regular files of it are read afterwards.
 */
export async function unpackArchive(
  path: string,
  { workFolder, signal }: Abortable & { workFolder: string },
): Promise<string | undefined> {
  if (!(await holdsMarker(path, { signal }))) return undefined;
  const folder = `${workFolder}/archive`;
  await mkdir(folder, { mode: 0o700 });
  const args = [
    '--extract',
    '--file',
    path,
    '--directory',
    folder,
    '--no-same-owner',
    '--no-same-permissions',
  ];
  try {
    await runCommand('tar', args, { signal, env: BUILD_ENVIRONMENT });
  } catch (error) {
    const action = `unpack "${path}"`;
    throw explainToolFailure(error, { action, code: 'IMAGE_SOURCE_INVALID', hint: 'is the file complete?' });
  }
  return folder;
}

/** Both markers of both formats stand at the top; a root file system may have a manifest.json, but not with these neighbours. */
async function holdsMarker(path: string, { signal }: Abortable): Promise<boolean> {
  for (const marker of MARKERS) {
    const args = ['--extract', '--to-stdout', '--occurrence=1', '--file', path, marker];
    try {
      const { stdout } = await runCommand('tar', args, { signal, env: BUILD_ENVIRONMENT });
      if (isMarker(marker, stdout)) return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error; // it is not in there, or this is no archive at all
    }
  }
  return false;
}

function isMarker(marker: string, text: string): boolean {
  try {
    const document: unknown = JSON.parse(text);
    if (marker === 'oci-layout') return typeof document === 'object' && document !== null;
    return (
      Array.isArray(document) && document.every((one) => Array.isArray((one as { Layers?: unknown }).Layers))
    );
  } catch {
    return false; // a file of a root file system that happens to have this name
  }
}
