import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCatalog } from './parse-catalog.ts';

const URL_SOURCE = 'https://catalogs.example/all/catalog.json';
const common = { description: 'a tool', architectures: ['x86_64'] };
const bundle = {
  ...common,
  name: 'tool',
  kind: 'bundle',
  url: 'tool.tar.zst',
  sha256: 'a'.repeat(64),
  bytes: 5,
};
const oci = { ...common, name: 'small', kind: 'oci', reference: 'registry.example/small:1' };
const recipe = {
  ...common,
  ...{ name: 'mine', kind: 'recipe', sizeBytes: 2 ** 30, distribution: 'debian', suite: 'trixie' },
  keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
  packages: ['systemd'],
};
const kernel = {
  ...common,
  ...{ name: 'debian-sid', kind: 'recipe', approximateBytes: 1, distribution: 'debian', suite: 'sid' },
  keyring: recipe.keyring,
};

const parse = (document: unknown, source = URL_SOURCE) =>
  parseCatalog(typeof document === 'string' ? document : JSON.stringify(document), {
    source,
    architecture: 'x86_64',
  });
const complaints = (document: unknown, source?: string) =>
  parse(document, source).problems.map(({ entry, problem }) => [entry, problem]);

test('takes all kinds of entries', () => {
  const { images, kernels, problems } = parse({
    version: 1,
    images: [bundle, oci, recipe],
    kernels: [kernel],
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    images.map(({ name, kind, catalog }) => [name, kind, catalog]),
    [
      ['tool', 'bundle', URL_SOURCE],
      ['small', 'oci', URL_SOURCE],
      ['mine', 'recipe', URL_SOURCE],
    ],
  );
  assert.deepEqual(
    kernels.map(({ name, suite }) => [name, suite]),
    [['debian-sid', 'sid']],
  );
});

test('a name is the same in all its spellings', () => {
  const images = [{ ...oci, name: 'docker.io/library/small:latest' }];
  assert.equal(parse({ version: 1, images }).images[0]?.name, 'small');
  const hidden = [{ ...oci, name: '0123456789ab:latest' }];
  assert.deepEqual(complaints({ version: 1, images: hidden }), [
    ['0123456789ab:latest', '"name" is no image name'],
  ]);
});

test('an url is relative to its catalog, whether that is a file or not', () => {
  const urlIn = (source: string) => parse({ version: 1, images: [bundle] }, source).images[0];
  const [remote, local] = [urlIn(URL_SOURCE), urlIn('/srv/some where/catalog.json')];
  assert.ok(remote?.kind === 'bundle' && local?.kind === 'bundle');
  assert.equal(remote.url.href, 'https://catalogs.example/all/tool.tar.zst');
  assert.equal(local.url.href, 'file:///srv/some%20where/tool.tar.zst');
});

test('what is for another architecture is left out without a word', () => {
  const other = { ...bundle, architectures: ['aarch64'] };
  assert.deepEqual(parse({ version: 1, images: [other] }), { images: [], kernels: [], problems: [] });
});

test('a broken entry is named, and the others count', () => {
  const { images, problems } = parse({ version: 1, images: [{ ...bundle, sha256: 'short' }, oci] });
  assert.deepEqual(
    images.map(({ name }) => name),
    ['small'],
  );
  const problem = '"sha256" is not 64 hexadecimal digits';
  assert.deepEqual(problems, [{ catalog: URL_SOURCE, entry: 'tool', problem, isStale: false }]);
});

for (const [what, entry] of Object.entries({
  'a key that is misspelt': { ...bundle, sha265: '' },
  'a kind that nobody knows': { ...bundle, kind: 'torrent' },
  'a bundle above 8 GiB': { ...bundle, bytes: 2 ** 33 + 1 },
  'a file system above 8 GiB': { ...bundle, sizeBytes: 2 ** 34 },
  'a url that is not encrypted': { ...bundle, url: 'http://example.org/tool.tar.zst' },
  'a file of this machine in a catalog of another': { ...bundle, url: 'file:///etc/shadow' },
  'a password in a url': { ...bundle, url: 'https://me:secret@example.org/x' },
  'another scheme': { ...bundle, url: 'javascript:alert(1)' },
  'a reference that is none': { ...oci, reference: 'Not A Reference' },
  'a package that is an option': { ...recipe, packages: ['--yes'] },
  'a suite that is an option': { ...recipe, suite: '-x' },
  'keys of anybody': { ...recipe, keyring: '/tmp/keys.gpg' },
  'keys that lead elsewhere': { ...recipe, keyring: '/usr/share/keyrings/../../tmp/keys.gpg' },
  'no architecture': { ...bundle, architectures: [] },
  'a name that is none': { ...bundle, name: '../tool' },
  'a name that is an id': { ...bundle, name: '0123456789ab' },
  'a description that moves the cursor': { ...bundle, description: 'a\u001b[2J' },
  'no entry at all': null,
})) {
  test(`leaves out ${what}`, () => {
    const { images, problems } = parse({ version: 1, images: [entry, oci] });
    assert.deepEqual(
      images.map(({ name }) => name),
      ['small'],
    );
    assert.equal(problems.length, 1);
  });
}

for (const [what, text] of Object.entries({
  'no JSON': '{"version": 1,',
  nothing: '',
  'a list': '[]',
  'another version': '{"version": 2}',
  'no version': '{"images": []}',
  'a key that nobody knows': '{"version": 1, "include": ["/etc/passwd"]}',
  'more entries than anybody needs': JSON.stringify({
    version: 1,
    images: Array.from({ length: 1001 }, () => oci),
  }),
})) {
  test(`refuses ${what} as a whole`, () => {
    const found = complaints(text);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.[0], undefined);
  });
}

test('names that cannot be shown are told by their place', () => {
  assert.deepEqual(
    complaints({ version: 1, images: [{ name: '\u0007' }] }).map(([entry]) => entry),
    ['images[0]'],
  );
});
