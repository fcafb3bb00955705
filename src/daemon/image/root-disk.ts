import type { Abortable } from '#base/abort.ts';
import { GiB, MiB } from '#base/sizes.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { makeFilesystem, type FilesystemSpec } from '#ext4/make-filesystem.ts';
import { sizeForContent } from '#ext4/size-for-content.ts';
import { runCommand } from '#host/run-command.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { mergeLayers } from '#oci/layers/merge-layers.ts';
import { ROOT_DISK_FILE } from './image-store.ts';
import { ContentRecorder } from './shared-layers/content-recorder.ts';
import { shareContents, type SharingReport } from './shared-layers/share-contents.ts';

export type RootSource = { folder: string } | { layers: readonly LayerFile[] };

export interface RootDiskSpec {
  root: RootSource;
  /** Where `rootfs.ext4` is made, and where what layers have in it is noted; beside the folders of other images. */
  folder: string;
  sizeBytes?: number | undefined;
  /** At least, where none is given. */
  leastBytes?: number | undefined;
}

const LABEL = 'banger-root';
const MAX_JOURNAL_MIB = 32;
/** What a VM's disk has by default: growing it at each first start would cost time, and what is empty takes no space. */
const DEFAULT_BYTES = 8 * GiB;

export interface RootDiskOptions extends Abortable, SharingReport {}

/**
 * Makes the root disk of a new image, without root's rights and without unpacking as root. The contents of layers that another image
 * has are copied from its disk.
 *
 * @throws UserError `DISK_TOO_SMALL`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; what merging layers throws
 */
export async function makeRootDisk(spec: RootDiskSpec, options: RootDiskOptions): Promise<void> {
  const { root, folder } = spec;
  if ('folder' in root) {
    const content = await measureFolder(root.folder, options);
    await make(spec, { ...content, source: root }, options);
    return;
  }
  const merged = await mergeLayers(root.layers, options);
  const diffIds = root.layers.map(({ diffId }) => diffId);
  const recorder = new ContentRecorder();
  const tree = await shareContents(merged, { ...options, folder, diffIds, recorder });
  const { contentBytes, entries } = merged;
  await make(spec, { contentBytes, entries, source: { tree } }, options);
  await recorder.save(folder, diffIds);
}

interface Content {
  source: FilesystemSpec['source'];
  contentBytes: number;
  entries: number;
}

async function make(
  spec: RootDiskSpec,
  { source, contentBytes, entries }: Content,
  { signal }: Abortable,
): Promise<void> {
  const path = `${spec.folder}/${ROOT_DISK_FILE}`;
  const workFolder = spec.folder;
  const needed = sizeForContent({ contentBytes, entries, journalMiB: MAX_JOURNAL_MIB });
  const sizeBytes = spec.sizeBytes ?? Math.max(DEFAULT_BYTES, needed, spec.leastBytes ?? 0);
  const journalMiB = Math.min(MAX_JOURNAL_MIB, Math.floor(sizeBytes / MiB / 16));
  await makeFilesystem({ path, label: LABEL, sizeBytes, journalMiB, source, workFolder }, { signal });
}

async function measureFolder(
  folder: string,
  options: Abortable,
): Promise<{ contentBytes: number; entries: number }> {
  const [contentBytes, entries] = await Promise.all([
    measure(['--block-size=1'], folder, options),
    measure(['--inodes'], folder, options),
  ]);
  return { contentBytes, entries };
}

async function measure(unit: readonly string[], folder: string, { signal }: Abortable): Promise<number> {
  const args = ['--summarize', '--one-file-system', ...unit, '--', folder];
  const { stdout } = await runCommand('du', args, { signal, env: BUILD_ENVIRONMENT });
  return Number.parseInt(stdout, 10);
}
