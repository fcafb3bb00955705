import { writeFile } from 'node:fs/promises';
import type { LayerLimits } from '#oci/layers/layer-limits.ts';
import { applyMember } from '#oci/layers/apply-member.ts';
import { ByteSource } from '#oci/layers/byte-source.ts';
import { LayerFault, shownName } from '#oci/layers/layer-fault.ts';
import { splitPath } from '#oci/layers/member-path.ts';
import { MergeTree } from '#oci/layers/merge-tree.ts';
import { openLayer } from '#oci/layers/open-layer.ts';
import { readTar, type TarMember } from '#oci/layers/read-tar.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { archiveFailure } from './archive-failure.ts';
import { byteCount, type TarReading } from './inspect-tar.ts';
import { UnpackedArchive } from './unpacked-archive.ts';

/** What an archive is read by; two of one name would be two images to two readers. */
const DOCUMENTS = ['oci-layout', 'index.json', 'manifest.json'];
/** A thousand layers come with at most five members each, and each member becomes a file on the host. */
const MAX_MEMBERS = 100_000;
const NO_FILES: Readonly<Record<string, string>> = {
  '3': 'is a device',
  '4': 'is a device',
  '6': 'is a named pipe',
};

/**
 * Writes what an archive of images holds into an empty folder. Its names and links are kept in memory: on the host each regular file
 * has a number, so nothing there can be reached, replaced or made by a name.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_TOO_LARGE`, `HOST_DISK_FULL`; the signal's reason
 */
export async function unpackArchive(
  path: string,
  { folder, limits: given, signal }: TarReading & { folder: string },
): Promise<UnpackedArchive> {
  const limits = { ...given, maxEntries: Math.min(given.maxEntries, MAX_MEMBERS) };
  try {
    await using source = new ByteSource(openLayer(path, { limits, spent: { bytes: 0 }, signal }));
    const tree = new MergeTree(limits);
    const check = memberCheck(limits);
    for await (const member of readTar(source)) {
      check(member);
      applyMember(member, { tree, layer: 0 });
      if (member.type === '0') await writeContent(source, member, `${folder}/${member.index}`);
      await source.skip(paddedSizeOf(member.size) - member.size);
    }
    return new UnpackedArchive(path, { folder, tree });
  } catch (error) {
    throw archiveFailure(error, path);
  }
}

/** For the members of one archive, before anything is made of them. */
function memberCheck(limits: LayerLimits): (member: TarMember) => void {
  const seen = new Set<string>();
  const countBytes = byteCount(limits);
  return ({ name, type, size }) => {
    const condition = NO_FILES[type];
    if (condition !== undefined) throw new LayerFault(`the member ${shownName(name)} ${condition}`);
    countBytes(size);
    const plainName = splitPath(name).join('/');
    if (!DOCUMENTS.includes(plainName)) return;
    if (seen.has(plainName)) throw new LayerFault(`it holds "${plainName}" twice`);
    seen.add(plainName);
  };
}

async function writeContent(source: ByteSource, { size }: TarMember, path: string): Promise<void> {
  await writeFile(path, source.pieces(size), { flag: 'wx', mode: 0o600 });
}
