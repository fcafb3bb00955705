import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { LayerFile } from '#oci/descriptor.ts';

/** What umoci, as root, makes of the same layers: the folder of the files. */
export async function unpackWithUmoci(layers: readonly LayerFile[], folder: string): Promise<string> {
  const layout = `${folder}/layout`;
  await mkdir(`${layout}/blobs/sha256`, { recursive: true });
  const blob = async (mediaType: string, bytes: Buffer) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    await writeFile(`${layout}/blobs/sha256/${hex}`, bytes);
    return {
      mediaType: `application/vnd.oci.image.${mediaType}+json`,
      digest: `sha256:${hex}`,
      size: bytes.length,
    };
  };
  const config = await blob(
    'config.v1',
    json({
      ...{ architecture: 'amd64', os: 'linux', config: {} },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const descriptors = await Promise.all(layers.map((layer) => layerBlob(layer, layout)));
  const manifest = await blob('manifest.v1', json({ schemaVersion: 2, config, layers: descriptors }));
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'test' } };
  await writeFile(`${layout}/index.json`, json({ schemaVersion: 2, manifests: [named] }));
  await writeFile(`${layout}/oci-layout`, json({ imageLayoutVersion: '1.0.0' }));
  execFileSync('umoci', ['unpack', '--image', `${layout}:test`, `${folder}/bundle`], { stdio: 'pipe' });
  return `${folder}/bundle/rootfs`;
}

async function layerBlob(layer: LayerFile, layout: string) {
  const bytes = await readFile(layer.path);
  const hex = createHash('sha256').update(bytes).digest('hex');
  await copyFile(layer.path, `${layout}/blobs/sha256/${hex}`);
  const compression = bytes[0] === 0x1f ? '+gzip' : '';
  return {
    mediaType: `application/vnd.oci.image.layer.v1.tar${compression}`,
    digest: `sha256:${hex}`,
    size: bytes.length,
  };
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
