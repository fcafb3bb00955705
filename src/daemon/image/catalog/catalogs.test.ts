import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { builtInCatalog } from './built-in-catalog.ts';
import type { CatalogPlace } from './catalog-place.ts';
import { Catalogs } from './catalogs.ts';
import type { Catalog } from './entry.ts';
import { parseCatalog } from './parse-catalog.ts';

const builtIn = builtInCatalog('x86_64');

function catalogOf(source: string, ...names: string[]): Catalog {
  const images = names.map((name) => ({
    name,
    kind: 'oci',
    description: 'x',
    architectures: ['x86_64'],
    reference: `registry.example/${source.length}`,
  }));
  return parseCatalog(JSON.stringify({ version: 1, images }), { source, architecture: 'x86_64' });
}

const placeOf = (catalog: Catalog): CatalogPlace => ({
  open: async () => catalog,
  look: async () => catalog,
});

async function openCatalogs(...places: CatalogPlace[]): Promise<Catalogs> {
  const catalogs = new Catalogs({ builtIn, places });
  await catalogs.open();
  return catalogs;
}

test('entries of several catalogs count', async () => {
  const catalogs = await openCatalogs(placeOf(catalogOf('/a', 'one')), placeOf(catalogOf('/b', 'two')));
  assert.deepEqual(
    ['one', 'two', 'debian-bookworm', 'three'].map((name) => catalogs.findImage(name)?.catalog),
    ['/a', '/b', 'built-in', undefined],
  );
});

test('no catalog takes the place of what an earlier one has', async () => {
  const hostile = placeOf(catalogOf('/hostile', 'debian-bookworm', 'one'));
  const catalogs = await openCatalogs(placeOf(catalogOf('/a', 'one')), hostile);
  assert.equal(catalogs.findImage('debian-bookworm')?.kind, 'recipe');
  assert.equal(catalogs.findImage('one')?.catalog, '/a');
  assert.deepEqual(
    catalogs.problems().map(({ catalog, entry, problem }) => [catalog, entry, problem]),
    [
      ['/hostile', 'debian-bookworm', 'the catalog "built-in" has this name already'],
      ['/hostile', 'one', 'the catalog "/a" has this name already'],
    ],
  );
  assert.doesNotThrow(() => catalogs.assertReadable('debian-bookworm'));
});

test('an entry that cannot be used says why, and never hides the built-in ones', async () => {
  const text = '{"version": 1, "images": [{"name": "tool", "kind": "bundle"}]}';
  const broken = placeOf(parseCatalog(text, { source: '/a', architecture: 'x86_64' }));
  const catalogs = await openCatalogs(broken);
  assert.equal(catalogs.images().length, builtIn.images.length);
  assert.throws(
    () => catalogs.assertReadable('tool'),
    (error) =>
      isUserError(error, 'CATALOG_INVALID') && /entry "tool" of the catalog "\/a"/.test(error.message),
  );
});

test('a server that nothing is known of delays the start, but not for long, and counts when it has answered', async () => {
  const answer = Promise.withResolvers<Catalog>();
  const catalogs = new Catalogs({
    builtIn,
    places: [{ open: async () => undefined, look: () => answer.promise }],
  });
  const startedAt = performance.now();
  await catalogs.open();
  assert.ok(performance.now() - startedAt < 10_000);
  assert.equal(catalogs.findImage('late'), undefined);
  answer.resolve(catalogOf('https://x.example/', 'late'));
  await catalogs.refresh();
  assert.ok(catalogs.findImage('late'));
});
