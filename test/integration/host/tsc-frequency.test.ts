import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CommandError, runCommand } from '#host/run-command.ts';
import { findTscKHz } from '#host/tsc-frequency.ts';

const REAL_HELPER = join(import.meta.dirname, '../../../native/build/tsc-khz');

interface Place {
  cacheDir: string;
  bootIdPath: string;
  /** Makes a program that prints `text`. */
  helper(text: string): Promise<string>;
  boot(id: string): Promise<void>;
}

async function newPlace(t: TestContext): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'bgr-tsc-'));
  t.after(() => rm(root, { recursive: true }));
  const place: Place = {
    cacheDir: root,
    bootIdPath: join(root, 'boot_id'),
    async helper(text) {
      const path = join(root, 'helper');
      await writeFile(path, `#!/bin/sh\nprintf '%s' '${text}'\n`, { mode: 0o700 });
      return path;
    },
    boot: (id) => writeFile(place.bootIdPath, `${id}\n`),
  };
  await place.boot('first');
  return place;
}

test('the frequency is measured once for each boot of the host', async (t) => {
  const place = await newPlace(t);
  assert.equal(await findTscKHz({ ...place, helperPath: await place.helper('2500000\n') }), 2_500_000);
  assert.equal(await findTscKHz({ ...place, helperPath: '/nonexistent' }), 2_500_000);
  await place.boot('second');
  assert.equal(await findTscKHz({ ...place, helperPath: await place.helper('2600000\n') }), 2_600_000);
});

test('a machine without that counter has none', async (t) => {
  const place = await newPlace(t);
  assert.equal(await findTscKHz({ ...place, helperPath: await place.helper('') }), undefined);
});

for (const text of ['banana', '-5', '99999', '20000001', '2500000 2500000', '2.5e6']) {
  test(`no frequency: ${text}`, async (t) => {
    const place = await newPlace(t);
    await assert.rejects(
      findTscKHz({ ...place, helperPath: await place.helper(text) }),
      /printed no frequency/,
    );
    assert.ok(!(await readdir(place.cacheDir)).includes('tsc-khz'));
  });
}

for (const content of ['', 'first', 'first banana', 'first 0', 'other 2500000', '\0\0\0']) {
  test(`a cache that cannot be used is measured again: ${JSON.stringify(content)}`, async (t) => {
    const place = await newPlace(t);
    await writeFile(join(place.cacheDir, 'tsc-khz'), content);
    assert.equal(await findTscKHz({ ...place, helperPath: await place.helper('2600000') }), 2_600_000);
  });
}

test('a program that is missing or fails', async (t) => {
  const place = await newPlace(t);
  await assert.rejects(findTscKHz({ ...place, helperPath: '/nonexistent' }), CommandError);
  await assert.rejects(findTscKHz({ ...place, helperPath: 'false' }), CommandError);
});

test('two measurements agree within 10 ppm', async () => {
  const measure = async () => Number((await runCommand(REAL_HELPER, [])).stdout);
  const [first, second] = [await measure(), await measure()];
  if (first === 0) return; // prints nothing where there is no such counter
  assert.ok(Math.abs(first / second - 1) < 10e-6, `${first} and ${second} kHz`);
});
