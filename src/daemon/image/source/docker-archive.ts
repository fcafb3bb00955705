import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { assertLayerCount, parseImageConfig } from '#oci/image-config.ts';
import { MAX_LAYERS } from '#oci/manifest.ts';
import { assertPlatform, hostArchitecture } from '#oci/platform.ts';
import { ArchiveFiles, type FilePlace } from './archive-files.ts';
import { invalidSource } from './invalid-source.ts';
import type { ImageSource } from './opened-source.ts';
import { toRunConfig } from '../run-config.ts';

const manifestSchema = z
  .array(z.object({ Config: z.string(), Layers: z.array(z.string()).min(1).max(MAX_LAYERS) }))
  .length(1, 'it must hold one image');

const PLAIN_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';

/**
 * The image that `docker save` wrote in its old form; newer ones are OCI layouts as well. Layers are plain tars, each checked
 * against the digest in the image's configuration.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_PLATFORM_MISSING`
 */
export async function readDockerArchive(place: FilePlace, options: Abortable): Promise<ImageSource> {
  const files = new ArchiveFiles(place, options);
  const { Config: configName, Layers: names } = parseArchiveManifest(
    place,
    await files.read('manifest.json'),
  );
  const configBytes = await files.read(configName);
  const config = files.parse(() => parseImageConfig(configBytes));
  files.parse(() => assertLayerCount(config, names.length));
  assertPlatform(config, hostArchitecture());
  const layers = [];
  for (const [index, name] of names.entries()) {
    const path = await files.find(name);
    const digest = await files.digestOf(path);
    const diffId = config.diffIds[index] ?? '';
    if (digest !== diffId)
      throw invalidSource(place.path, `the content of layer "${name}" is "${digest}", not "${diffId}"`);
    layers.push({ path, mediaType: PLAIN_LAYER, digest, diffId });
  }
  return { root: { layers }, config: toRunConfig(config) };
}

function parseArchiveManifest({ path }: FilePlace, bytes: Buffer): z.infer<typeof manifestSchema>[number] {
  const result = manifestSchema.safeParse(JSON.parse(bytes.toString('utf8')));
  const [image] = result.data ?? [];
  if (image) return image;
  throw invalidSource(path, `its manifest.json cannot be used: ${result.error?.issues[0]?.message ?? ''}`);
}
