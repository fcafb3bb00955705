import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { createCatalogPlace } from './catalog-place.ts';

const catalogOf = (name: string) =>
  JSON.stringify({
    version: 1,
    images: [{ name, kind: 'oci', description: 'x', architectures: ['x86_64'], reference: 'r.example/x' }],
  });

let folder: string;
let server: Server;
let url: string;
let answer: { status: number; body: string };
let now = 0;

before(async () => {
  server = createServer((_, response) => response.writeHead(answer.status).end(answer.body));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/catalog.json`;
});
after(() => server.close().closeAllConnections());
beforeEach(async (t) => {
  folder = await mkdtemp(join(tmpdir(), 'bgr-catalogs-'));
  if ('after' in t) t.after(() => rm(folder, { recursive: true }));
  answer = { status: 200, body: catalogOf('first') };
});

const place = (source: string) =>
  createCatalogPlace(source, {
    cacheFolder: join(folder, 'cache'),
    certificateFiles: [],
    architecture: 'x86_64',
    clock: { now: () => now },
  });
const show = (catalog: {
  images: readonly { name: string }[];
  problems: readonly { problem: string }[];
}) => ({
  names: catalog.images.map(({ name }) => name),
  problems: catalog.problems.map(({ problem }) => problem),
});

test('a file is read anew whenever somebody asks', async () => {
  const path = join(folder, 'catalog.json');
  const filePlace = place(path);
  assert.deepEqual(show(await filePlace.look({})), { names: [], problems: ['there is no such file'] });
  await writeFile(path, catalogOf('one'));
  assert.deepEqual(show(await filePlace.look({})), { names: ['one'], problems: [] });
  await truncate(path, 2 ** 20 + 1);
  assert.deepEqual(show(await filePlace.look({})), { names: [], problems: ['it has more than 1 MiB'] });
  assert.deepEqual(show(await place(folder).look({})), { names: [], problems: ['it is no file'] });
});

test('what a server says is kept, and counts while it is away', async () => {
  const first = place(url);
  assert.equal(await first.open(), undefined);
  assert.deepEqual(show(await first.look({})), { names: ['first'], problems: [] });
  answer = { status: 503, body: '' };
  const second = place(url);
  assert.deepEqual((await second.open())?.images.length, 1);
  const catalog = await second.look({});
  assert.deepEqual(show(catalog), { names: ['first'], problems: ['the server answers 503'] });
  assert.equal(catalog.problems[0]?.isStale, true);
});

test('a server is asked again only after a while', async () => {
  const remote = place(url);
  await remote.look({});
  answer.body = catalogOf('second');
  assert.deepEqual(show(await remote.look({})).names, ['first']);
  now += 16 * 60_000;
  assert.deepEqual(show(await remote.look({})).names, ['second']);
});

test('a page that is no catalog never takes the place of one', async () => {
  await place(url).look({});
  answer.body = '<html>log in</html>';
  const remote = place(url);
  await remote.open();
  const { names, problems } = show(await remote.look({}));
  assert.deepEqual(names, ['first']);
  assert.match(problems[0] ?? '', /^it is no JSON/);
  assert.deepEqual((await place(url).open())?.images.length, 1);
});

test('an endless answer is cut off', async () => {
  answer.body = ' '.repeat(2 ** 20 + 1);
  assert.deepEqual(show(await place(url).look({})), { names: [], problems: ['it has more than 1 MiB'] });
  assert.deepEqual(await readdir(folder), []);
});
