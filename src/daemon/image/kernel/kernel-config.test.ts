import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, test } from 'node:test';
import { readTimerHz } from './kernel-config.ts';

const RELEASE = '6.1.0-test';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/bgr-kernel-config-`);
});
afterEach(() => rm(folder, { recursive: true }));

const ask = (): Promise<number | undefined> => readTimerHz(`${folder}/vmlinuz-${RELEASE}`, RELEASE);
const give = (text: string): Promise<void> => writeFile(`${folder}/config-${RELEASE}`, text);

test('the ticks in a second are those of the configuration beside the kernel', async () => {
  await give('# CONFIG_HZ_100 is not set\nCONFIG_HZ_250=y\nCONFIG_HZ=250\nCONFIG_SCHED_HRTICK=y\n');
  assert.equal(await ask(), 250);
});

test('without a configuration, or with one that cannot be true, they are not known', async () => {
  assert.equal(await ask(), undefined);
  for (const text of [
    '',
    'CONFIG_HZ=\n',
    'CONFIG_HZ=1\n',
    'CONFIG_HZ=99999\n',
    '#CONFIG_HZ=250\n',
    'CONFIG_HZ=2e2\n',
  ]) {
    await give(text);
    assert.equal(await ask(), undefined, JSON.stringify(text));
  }
  await give(`CONFIG_HZ=250\n${'#'.repeat(2 ** 20)}`);
  assert.equal(await ask(), undefined);
});

test('a link, a folder and a pipe are not read', async () => {
  const path = `${folder}/config-${RELEASE}`;
  await writeFile(`${folder}/elsewhere`, 'CONFIG_HZ=250\n');
  await symlink(`${folder}/elsewhere`, path);
  assert.equal(await ask(), undefined);
  await rm(path);
  execFileSync('mkfifo', [path]);
  assert.equal(await ask(), undefined);
  await rm(path);
  execFileSync('mkdir', [path]);
  assert.equal(await ask(), undefined);
});
