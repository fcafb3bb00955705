import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { parseManifest } from './manifest.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('a'), size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest('b'), size: 9 };
const dockerConfig = { ...config, mediaType: 'application/vnd.docker.container.image.v1+json' };
const dockerLayer = { ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' };
const image = { schemaVersion: 2, config, layers: [layer] };

const withLayers = (count: number) => ({ ...image, layers: Array.from({ length: count }, () => layer) });

function parse(document: unknown, contentType = OCI) {
  return parseManifest(
    Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)),
    contentType,
  );
}

test('OCI manifests and Docker manifests are read alike', () => {
  assert.deepEqual(parse(image), { kind: 'image', config, layers: [layer] });
  const docker = { schemaVersion: 2, mediaType: DOCKER, config: dockerConfig, layers: [dockerLayer] };
  assert.deepEqual(parse(docker, DOCKER), { kind: 'image', config: dockerConfig, layers: [dockerLayer] });
});

test('what the document says of itself wins over what the registry calls it', () => {
  assert.equal(parse({ ...image, mediaType: OCI }, 'application/json').kind, 'image');
});

test('an index lists manifests and what they run on', () => {
  const entry = {
    mediaType: OCI,
    digest: digest('c'),
    size: 3,
    platform: { os: 'linux', architecture: 'amd64' },
  };
  const bare = { mediaType: OCI, digest: digest('d'), size: 3 };
  const found = parse({ schemaVersion: 2, manifests: [entry, bare] }, OCI_INDEX);
  assert.deepEqual(found, { kind: 'index', entries: [entry, bare] });
});

test('999 layers are not too many', () => {
  const found = parse(withLayers(999));
  assert.equal(found.kind === 'image' && found.layers.length, 999);
});

const REFUSED: [string, unknown, string, RegExp][] = [
  [
    'schema 1',
    { schemaVersion: 1, fsLayers: [] },
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    /schema 1/,
  ],
  ['an index that is an image too', { ...image, manifests: [] }, OCI_INDEX, /index and an image at once/],
  [
    'an artifact',
    { ...image, config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
    OCI,
    /helm/,
  ],
  ['a foreign layer', { ...image, layers: [{ ...layer, mediaType: 'application/x-other' }] }, OCI, /x-other/],
  [
    'a digest of another algorithm',
    { ...image, config: { ...config, digest: 'sha512:00' } },
    OCI,
    /config\.digest/,
  ],
  [
    'a digest with a path in it',
    { ...image, layers: [{ ...layer, digest: 'sha256:../../x' }] },
    OCI,
    /layers\.0\.digest/,
  ],
  ['a negative size', { ...image, layers: [{ ...layer, size: -1 }] }, OCI, /layers\.0\.size/],
  ['no layers', { ...image, layers: [] }, OCI, /layers/],
  ['1,000 layers', withLayers(1000), OCI, /^Cannot use the manifest: layers: Too big: .*<=999 items$/],
  ['a page of HTML', '<html>', 'text/html', /no JSON/],
  ['another type', image, 'text/plain', /text\/plain/],
  ['null', null, OCI, /manifest/],
];

for (const [name, document, type, condition] of REFUSED) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => parse(document, type),
      (error) => isUserError(error, 'IMAGE_PULL_FAILED') && condition.test(error.message),
    );
  });
}
