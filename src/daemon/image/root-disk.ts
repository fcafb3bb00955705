import type { Abortable } from '#base/abort.ts';
import { GiB, MiB } from '#base/sizes.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { makeFilesystem, type FilesystemSpec } from '#ext4/make-filesystem.ts';
import { sizeForContent } from '#ext4/size-for-content.ts';
import { runCommand } from '#host/run-command.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { mergeLayers } from '#oci/layers/merge-layers.ts';
import { ROOT_DISK_FILE } from './image-store.ts';

export type RootSource = { folder: string } | { layers: readonly LayerFile[] };

export interface RootDiskSpec {
  root: RootSource;
  /** Where `rootfs.ext4` is made. */
  folder: string;
  sizeBytes?: number | undefined;
}

const LABEL = 'banger-root';
const MAX_JOURNAL_MIB = 32;
/** What a VM's disk has by default: growing it at each first start would cost time, and what is empty takes no space. */
const DEFAULT_BYTES = 8 * GiB;

/**
 * Makes the root disk of a new image, without root's rights and without unpacking as root.
 *
 * @throws UserError `DISK_TOO_SMALL`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; what merging layers throws
 */
export async function makeRootDisk(spec: RootDiskSpec, options: Abortable): Promise<void> {
  const path = `${spec.folder}/${ROOT_DISK_FILE}`;
  const workFolder = spec.folder;
  const { source, ...content } = await prepare(spec.root, options);
  const needed = sizeForContent({ ...content, journalMiB: MAX_JOURNAL_MIB });
  const sizeBytes = spec.sizeBytes ?? Math.max(DEFAULT_BYTES, needed);
  const journalMiB = Math.min(MAX_JOURNAL_MIB, Math.floor(sizeBytes / MiB / 16));
  await makeFilesystem({ path, label: LABEL, sizeBytes, journalMiB, source, workFolder }, options);
}

async function prepare(
  root: RootSource,
  { signal }: Abortable,
): Promise<{ source: FilesystemSpec['source']; contentBytes: number; entries: number }> {
  if ('folder' in root) {
    const [contentBytes, entries] = await Promise.all([
      measure(['--block-size=1'], root.folder, { signal }),
      measure(['--inodes'], root.folder, { signal }),
    ]);
    return { source: root, contentBytes, entries };
  }
  const merged = await mergeLayers(root.layers, { signal });
  const { contentBytes, entries } = merged;
  return { source: { tree: merged.tree }, contentBytes, entries };
}

async function measure(unit: readonly string[], folder: string, { signal }: Abortable): Promise<number> {
  const args = ['--summarize', '--one-file-system', ...unit, '--', folder];
  const { stdout } = await runCommand('du', args, { signal, env: BUILD_ENVIRONMENT });
  return Number.parseInt(stdout, 10);
}
