import type { Abortable } from '#base/abort.ts';
import { assertLayerCount, parseImageConfig } from '#oci/image-config.ts';
import { parseManifest, type Manifest } from '#oci/manifest.ts';
import { assertPlatform, choosePlatform, hostArchitecture } from '#oci/platform.ts';
import { ArchiveFiles, type FilePlace } from './archive-files.ts';
import { invalidSource } from './invalid-source.ts';
import type { ImageSource } from './opened-source.ts';
import { toRunConfig } from '../run-config.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
/** An index may name indexes; nobody needs more of them below each other. */
const MAX_DEPTH = 4;

/**
 * The image in an OCI layout that this machine can run; every blob of it is checked against its digest.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_PLATFORM_MISSING`
 */
export async function readOciLayout(place: FilePlace, options: Abortable): Promise<ImageSource> {
  const files = new ArchiveFiles(place, options);
  const { digest, manifest } = await findManifest(files);
  const configBytes = await files.readBlob(manifest.config.digest);
  const config = files.parse(() => parseImageConfig(configBytes));
  files.parse(() => assertLayerCount(config, manifest.layers.length));
  assertPlatform(config, hostArchitecture());
  const layers = [];
  for (const [index, layer] of manifest.layers.entries()) {
    const path = await files.findBlob(layer.digest);
    layers.push({
      path,
      mediaType: layer.mediaType,
      digest: layer.digest,
      diffId: config.diffIds[index] ?? '',
    });
  }
  return { root: { layers }, digest, config: toRunConfig(config) };
}

async function findManifest(files: ArchiveFiles) {
  let bytes = await files.read('index.json');
  let type = INDEX_TYPE;
  let digest = '';
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const [text, mediaType] = [bytes, type];
    const manifest = files.parse(() => parseManifest(text, mediaType));
    if (manifest.kind === 'image') return { digest, manifest };
    const entry = chooseEntry(files.path, manifest);
    ({ digest, mediaType: type } = entry);
    bytes = await files.readBlob(digest);
  }
  throw invalidSource(files.path, `its indexes lead to no image`);
}

/** A layout of one image says no platform. */
function chooseEntry(path: string, { entries }: Extract<Manifest, { kind: 'index' }>) {
  const [only, ...others] = entries;
  if (!only) throw invalidSource(path, 'it holds no image');
  if (others.length === 0) return only;
  if (entries.every(({ platform }) => platform === undefined))
    throw invalidSource(path, `it holds ${entries.length} images: it must be one`);
  return choosePlatform(entries, hostArchitecture());
}
