const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

const CONFIG_TYPES = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];

const LAYER_TYPES = [
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd',
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd',
];

/** What is asked for. Docker's schema 1 is not in it, so that registries do not convert to it. */
export const ACCEPTED_MANIFESTS = [...MANIFEST_TYPES, ...INDEX_TYPES].join(', ');

export const isIndexType = (type: string): boolean => INDEX_TYPES.includes(type);
export const isManifestType = (type: string): boolean => MANIFEST_TYPES.includes(type);
export const isConfigType = (type: string): boolean => CONFIG_TYPES.includes(type);
export const isLayerType = (type: string): boolean => LAYER_TYPES.includes(type);
/** Schema 1 has no digests of what is in its layers and nobody writes it any more. */
export const isSchema1Type = (type: string): boolean => type.includes('docker.distribution.manifest.v1+');
