import type { Abortable } from '#base/abort.ts';
import { digestFrom } from '#oci/digest.ts';
import { ByteSource } from '#oci/layers/byte-source.ts';
import { layerFailure } from '#oci/layers/layer-failure.ts';
import type { LayerLimits } from '#oci/layers/layer-limits.ts';
import { hashed, newDiffId, openLayer, tooManyBytes } from '#oci/layers/open-layer.ts';
import { readTar, type TarMember } from '#oci/layers/read-tar.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { archiveFailure } from './archive-failure.ts';
import { MAX_DOCUMENT_BYTES } from './archive-files.ts';

/** What a tar is: that of a root file system, or an archive of images in one of two formats. */
type TarKind = { kind: 'root'; diffId: string } | { kind: 'oci' } | { kind: 'docker' };

export interface TarReading extends Abortable {
  limits: LayerLimits;
}

/** The file that tells an image archive from the tar of a root file system. */
const MARKERS = { oci: 'oci-layout', docker: 'manifest.json' };

/**
 * Reads a tar once and writes nothing. A fault that comes before anything tells that it is an archive is taken for one of the tar of a
 * root file system.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_LAYER_INVALID`, `IMAGE_TOO_LARGE`; the signal's reason
 */
export async function inspectTar(path: string, { limits, signal }: TarReading): Promise<TarKind> {
  const hash = newDiffId();
  const countBytes = byteCount(limits);
  let isDocker = false;
  try {
    await using source = new ByteSource(
      hashed(openLayer(path, { limits, spent: { bytes: 0 }, signal }), hash),
    );
    for await (const member of readTar(source)) {
      countBytes(member.size);
      const found = await takeMarker(member, source);
      // A newer docker writes both, and the layout says more.
      if (found === 'oci') return { kind: 'oci' };
      isDocker ||= found === 'docker';
    }
  } catch (error) {
    if (isDocker) throw archiveFailure(error, path);
    throw layerFailure(error, { path, mediaType: '', digest: path, diffId: '' });
  }
  return isDocker ? { kind: 'docker' } : { kind: 'root', diffId: digestFrom(hash) };
}

/** For the sizes in the headers of members, so that one is refused before its content is read. @throws LayerFault */
export function byteCount(limits: LayerLimits): (size: number) => void {
  let bytes = 0;
  return (size) => {
    bytes += size;
    if (bytes > limits.maxBytes) throw tooManyBytes(limits);
  };
}

/** Takes the content of the member, whatever it is. */
async function takeMarker(
  { type, name, size }: TarMember,
  source: ByteSource,
): Promise<'oci' | 'docker' | undefined> {
  const isOci = type === '0' && hasName(name, MARKERS.oci);
  const isDocker = type === '0' && hasName(name, MARKERS.docker);
  const wanted = isOci || isDocker ? Math.min(size, MAX_DOCUMENT_BYTES) : 0;
  const pieces: Buffer[] = [];
  for await (const piece of source.pieces(wanted)) pieces.push(piece);
  await source.skip(paddedSizeOf(size) - wanted);
  const text = Buffer.concat(pieces).toString('utf8');
  if (isOci) return text.trimStart().startsWith('{') ? 'oci' : undefined;
  return isDocker && isImageList(text, size) ? 'docker' : undefined;
}

/** `tar -C FOLDER .` writes `./` before each name. */
function hasName(name: string, wanted: string): boolean {
  return name.endsWith(wanted) && /^(?:\.\/+)*$/.test(name.slice(0, -wanted.length));
}

/** A root file system may have a manifest.json too, but not one like this. */
function isImageList(text: string, size: number): boolean {
  // One that is cut off here is refused later, for its size.
  if (size > MAX_DOCUMENT_BYTES) return /^\s*\[\s*\{\s*"(?:Config|RepoTags|Layers)"/.test(text);
  try {
    const document: unknown = JSON.parse(text);
    return (
      Array.isArray(document) && document.every((one) => Array.isArray((one as { Layers?: unknown }).Layers))
    );
  } catch {
    return false;
  }
}
