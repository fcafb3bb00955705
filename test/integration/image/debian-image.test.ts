import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { delay, pollUntil } from '#base/backoff.ts';
import { randomHex } from '#base/ids.ts';
import { findProcessesByCommandLine } from '#host/proc.ts';
import { readExt4Entry, run } from './ext4-entry.ts';
import { openService } from './open-service.ts';
import { recipeCatalogs } from '../../support/recipe-catalog.ts';
import { tinyRecipe } from './tiny-recipe.ts';

const program = new URL('./build-tiny-image.ts', import.meta.url).pathname;
const isRoot = process.getuid?.() === 0;

/** Needs Debian's archive; about 5 s a build. The builds share what the first one downloads. */
describe('building a Debian image', { timeout: 180_000 }, () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/banger-debian-`);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const processesOf = (path: string) =>
    findProcessesByCommandLine(
      (argv) => argv.some((word) => word.includes(path)) && argv[0] !== process.execPath,
    );

  test('makes a clean, private file system and keeps the packages', async () => {
    using opened = await openService(folder, { catalogs: recipeCatalogs(tinyRecipe) });
    const details: string[] = [];
    const report = { detail: (text: string) => details.push(text), progress() {} };
    const { rootDiskPath, record } = await opened.service.ensureImage('tiny', { report });
    await run('e2fsck', ['-fn', rootDiskPath]);
    const sudo = await readExt4Entry(rootDiskPath, '/usr/bin/sudo');
    assert.deepEqual([sudo.mode, sudo.owner], [0o4755, '0:0']);
    assert.equal(record.virtualBytes, tinyRecipe.sizeBytes);
    assert.ok(record.allocatedBytes > 0 && record.allocatedBytes < 200 * 2 ** 20);
    assert.equal((await stat(opened.layout.imagesDir)).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(opened.layout.imagesDir), [record.id]);
    assert.deepEqual(await readdir(`${opened.layout.imagesDir}/${record.id}`), ['rootfs.ext4']);
    const packages = await readdir(`${opened.layout.cacheDir}/debs/${tinyRecipe.suite}`);
    assert.ok(
      packages.some((name) => name.startsWith('sudo_')),
      packages.join(),
    );
    for (const expected of ['downloading packages', 'packing the files', 'making the file system']) {
      assert.ok(details.includes(expected), expected);
    }
  });

  for (const [name, afterMs] of [
    ['early', 300 + Math.random() * 1500],
    ['late', 2000 + Math.random() * 2500],
  ] as const) {
    test(`aborting it ${name} (after ${Math.round(afterMs)} ms) leaves no file and no process`, async () => {
      using opened = await openService(`${folder}/abort-${name}`, { catalogs: recipeCatalogs(tinyRecipe) });
      const controller = new AbortController();
      const building = opened.service.ensureImage('tiny', { signal: controller.signal });
      void delay(afterMs).then(() => controller.abort(new Error('enough')));
      await assert.rejects(building, /enough/);
      assert.deepEqual(await readdir(opened.layout.imagesDir), []);
      assert.deepEqual(opened.service.listImages(), []);
      await pollUntil(
        async () => ((await processesOf(opened.layout.imagesDir)).length === 0 ? true : undefined),
        {
          signal: AbortSignal.timeout(3000),
        },
      );
    });
  }

  test('killing the process that builds ends the build, and the next one clears up', async () => {
    const home = `${folder}/killed`;
    const builder = spawn(process.execPath, [program, home], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    builder.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await pollUntil(() => (output.includes('downloading packages') ? true : undefined), {
      signal: AbortSignal.timeout(30_000),
      maxMs: 20,
    });
    builder.kill('SIGKILL');
    await pollUntil(async () => ((await processesOf(`${home}/state`)).length === 0 ? true : undefined), {
      signal: AbortSignal.timeout(3000),
    });
    const images = `${home}/state/banger/images`;
    assert.match((await readdir(images)).join(), /^\.[0-9a-f]{12}\.partial$/);
    using opened = await openService(home, { catalogs: recipeCatalogs(tinyRecipe) });
    await opened.service.removeLeftovers();
    assert.deepEqual(await readdir(images), []);
  });

  describe('as an ordinary user', { skip: isRoot ? false : 'needs root, to make a user' }, () => {
    const user = `banger-${randomHex(3)}`;

    before(() => run('useradd', ['--create-home', user]));
    after(() =>
      run('userdel', ['--remove', user]).catch((error: unknown) => assert.match(String(error), /mail spool/)),
    );

    test('works, and what it made belongs to the user', async (context) => {
      const readable = await run('runuser', ['-u', user, '--', 'test', '-r', program]).catch(() => undefined);
      if (!readable) return context.skip('needs a source folder that other users may read');
      const home = `${folder}/ordinary`;
      await run('chmod', ['755', folder]);
      await mkdir(home);
      await run('chown', [user, home]);
      const { stdout } = await run('runuser', ['-u', user, '--', process.execPath, program, home]);
      const path = /^made (.*)$/m.exec(stdout)?.[1];
      assert.ok(path, stdout);
      await run('e2fsck', ['-fn', path]);
      const sudo = await readExt4Entry(path, '/usr/bin/sudo');
      assert.deepEqual([sudo.mode, sudo.owner], [0o4755, '0:0']);
      const { uid } = await stat(path);
      assert.equal(String(uid), (await run('id', ['-u', user])).stdout.trim());
    });
  });
});
