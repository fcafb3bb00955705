import { digestOf } from '#oci/digest.ts';
import { hostArchitecture } from '#oci/platform.ts';
import { file, tarOf } from '../../support/layer-tar.ts';

/** The only layer of the images below. */
export const LAYER = tarOf(file('etc/place', 'here'));
export const DIFF_ID = digestOf(LAYER);

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const PLAIN_LAYER = 'application/vnd.oci.image.layer.v1.tar';

export function configOf(diffIds: readonly string[] = [DIFF_ID]): string {
  const rootfs = { type: 'layers', diff_ids: diffIds };
  return JSON.stringify({ os: 'linux', architecture: hostArchitecture(), rootfs });
}

export const manifestOf = (layers: readonly string[] = ['layer.tar'], config = 'c.json'): string =>
  JSON.stringify([{ Config: config, RepoTags: [], Layers: layers }]);

/** The members of what `docker save` writes, the manifest first. */
export const dockerMembers = (): Buffer[] => [
  file('manifest.json', manifestOf()),
  file('c.json', configOf()),
  file('layer.tar', LAYER),
];

/** The files of an OCI layout by their names. */
export function layoutFiles(): Map<string, string | Buffer> {
  const config = configOf();
  const manifest = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: MANIFEST },
    config: descriptorOf(config, CONFIG),
    layers: [descriptorOf(LAYER, PLAIN_LAYER)],
  });
  return new Map<string, string | Buffer>([
    ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
    [
      'index.json',
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [descriptorOf(manifest, MANIFEST)] }),
    ],
    ...[manifest, config, LAYER].map((content): [string, string | Buffer] => [blobName(content), content]),
  ]);
}

/** Its members, each name with this in front. */
export const layoutMembers = (prefix = ''): Buffer[] =>
  [...layoutFiles()].map(([name, content]) => file(`${prefix}${name}`, content));

export const blobName = (content: string | Buffer): string =>
  `blobs/${digestOf(Buffer.from(content as string)).replace(':', '/')}`;

function descriptorOf(content: string | Buffer, mediaType: string) {
  const bytes = Buffer.from(content as string);
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
