import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { builtInCatalog } from '../catalog/built-in-catalog.ts';
import type { KernelRecipe } from '../kernel/kernel-recipes.ts';
import { hostHasSuite, writeSources } from './kernel-sources.ts';

const trixie = builtInCatalog('x86_64').kernels.find(({ suite }) => suite === 'trixie') as KernelRecipe;
let folder: string;
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/bgr-sources-`);
});
after(() => rm(folder, { recursive: true }));

test("every source is bound to the keys of the distribution's archive", async () => {
  const keyring = `${folder}/keys.gpg`;
  await writeFile(keyring, 'keys');
  const text = await readFile(await writeSources({ ...trixie, keyring }, folder), 'utf8');
  const sources = text.trim().split('\n\n');
  assert.equal(sources.length, 2);
  for (const source of sources) assert.match(source, new RegExp(`^Signed-By: ${keyring}$`, 'm'));
  assert.match(text, /^Suites: trixie trixie-updates$/m);
  assert.match(text, /^Suites: trixie-security$/m);
});

test('without those keys nothing is asked of any archive', async () => {
  await assert.rejects(writeSources({ ...trixie, keyring: `${folder}/none.gpg` }, folder), {
    code: 'HOST_TOOL_MISSING',
    hint: 'sudo apt-get install debian-archive-keyring',
  });
});

test('the own sources of a host serve only for its own suite', async () => {
  const path = `${folder}/os-release`;
  await writeFile(path, 'NAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\nID=debian\n');
  assert.equal(await hostHasSuite(trixie, path), true);
  assert.equal(await hostHasSuite({ ...trixie, suite: 'bookworm' }, path), false);
  await writeFile(path, 'ID=derivative\nID_LIKE=debian\nVERSION_CODENAME=trixie\n');
  assert.equal(await hostHasSuite(trixie, path), false);
  assert.equal(await hostHasSuite(trixie, `${folder}/none`), false);
});
