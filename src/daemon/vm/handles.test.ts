import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { HandleCache, type Handles } from './handles.ts';

const ID = '0123456789ab';
const MACHINE: NonNullable<Handles['machine']> = {
  process: { pid: 4321, startTicks: 987_654 },
  guestSocketPath: '/run/user/1000/banger/vm/0123456789ab/guest.sock',
  controlSocketPath: '/run/user/1000/banger/vm/0123456789ab/qmp.sock',
};
const NETWORK: NonNullable<Handles['network']> = {
  process: { pid: 4322, startTicks: 987_655 },
  guest: {
    address: '10.77.0.2/24',
    gateway: '10.77.0.1',
    dns: ['10.77.0.1'],
    mtu: 1500,
    mac: '52:54:00:00:00:01',
  },
};
const FULL: Handles = { machine: MACHINE, network: NETWORK };

/** A VM's folder, the file in it, and a cache as a daemon that starts has it. */
async function newPlace() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'banger-handles-'));
  await mkdir(join(folder.path, ID));
  return {
    path: join(folder.path, ID, 'handles.json'),
    folder: join(folder.path, ID),
    newCache: () => new HandleCache(folder.path),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

test('what was set is there at once, and for the next daemon', async () => {
  await using place = await newPlace();
  const cache = place.newCache();
  await cache.set(ID, FULL);
  assert.deepEqual(cache.get(ID), FULL);
  const next = place.newCache();
  assert.deepEqual(next.get(ID), {}, 'nothing is known before it is read');
  assert.deepEqual(await next.load(ID), FULL);
  assert.deepEqual(next.get(ID), FULL);
});

test('the file is private, and alone: no temporary file stays', async () => {
  await using place = await newPlace();
  await place.newCache().set(ID, FULL);
  assert.equal((await stat(place.path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(place.folder), ['handles.json']);
});

test('setting replaces, it does not merge', async () => {
  await using place = await newPlace();
  const cache = place.newCache();
  await cache.set(ID, FULL);
  await cache.set(ID, { machine: MACHINE });
  assert.deepEqual(await place.newCache().load(ID), { machine: MACHINE });
});

test('when the file cannot be written the cache does not pretend', async () => {
  await using place = await newPlace();
  const cache = place.newCache();
  await assert.rejects(cache.set('ffffffffffff', FULL), { code: 'ENOENT' });
  assert.deepEqual(cache.get('ffffffffffff'), {});
});

test('clearing forgets both, and may be done twice', async () => {
  await using place = await newPlace();
  const cache = place.newCache();
  await cache.set(ID, FULL);
  await cache.clear(ID);
  await cache.clear(ID);
  assert.deepEqual(cache.get(ID), {});
  assert.deepEqual(await readdir(place.folder), []);
  assert.deepEqual(await place.newCache().load(ID), {});
});

test('no file is the same as no handles, and loading it forgets what was known', async () => {
  await using place = await newPlace();
  const cache = place.newCache();
  await cache.set(ID, FULL);
  await place.newCache().clear(ID);
  assert.deepEqual(await cache.load(ID), {});
  assert.deepEqual(cache.get(ID), {});
});

test('a file cut anywhere is the same as none', async () => {
  await using place = await newPlace();
  const cache = place.newCache();
  await cache.set(ID, FULL);
  const whole = await readFile(place.path, 'utf8');
  for (let length = 0; length < whole.length; length += 1) {
    await writeFile(place.path, whole.slice(0, length));
    assert.deepEqual(await cache.load(ID), {}, `${length} bytes`);
  }
});

test('what is not of this shape is the same as none: never half of it', async () => {
  await using place = await newPlace();
  const machine = (differences: object) => ({ machine: { ...MACHINE, ...differences } });
  const hostile: unknown[] = [
    null,
    [],
    'text',
    42,
    machine({ process: { pid: -1, startTicks: 1 } }),
    machine({ process: { pid: 0, startTicks: 1 } }),
    machine({ process: { pid: 1.5, startTicks: 1 } }),
    machine({ process: { pid: '1', startTicks: 1 } }),
    machine({ process: { pid: 1 } }),
    machine({ process: undefined }),
    machine({ guestSocketPath: { toString: 'x' } }),
    { machine: MACHINE, network: { guest: { ...NETWORK.guest, dns: 'all of them' } } },
    { machine: null },
  ];
  for (const content of hostile) {
    await writeFile(place.path, JSON.stringify(content));
    assert.deepEqual(await place.newCache().load(ID), {}, JSON.stringify(content));
  }
});

test('keys that nobody knows are dropped, and none of them reaches a prototype', async () => {
  await using place = await newPlace();
  const text = JSON.stringify(FULL).replace('{', '{"__proto__":{"polluted":true},"constructor":1,');
  await writeFile(place.path, text);
  const handles = await place.newCache().load(ID);
  assert.deepEqual(handles, FULL);
  assert.deepEqual(Object.keys(handles), ['machine', 'network']);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('garbage of any kind is survived', async () => {
  await using place = await newPlace();
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from('['.repeat(100_000))),
  );
  await fc.assert(
    fc.asyncProperty(garbage, async (bytes) => {
      await writeFile(place.path, bytes);
      assert.deepEqual(await place.newCache().load(ID), {});
    }),
    { numRuns: 60 },
  );
});

test('a file that cannot be read is an error, not a VM without handles', async () => {
  await using place = await newPlace();
  await mkdir(place.path);
  await assert.rejects(place.newCache().load(ID), { code: 'EISDIR' });
});
