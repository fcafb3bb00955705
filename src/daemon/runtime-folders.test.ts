import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { prepareFolders } from './runtime-folders.ts';

const UID = process.getuid!();

const newFolder = () => mkdtempDisposable(join(tmpdir(), 'banger-folders-'));

function layoutBelow(folder: string): Layout {
  return resolveLayout(
    {
      XDG_STATE_HOME: `${folder}/state`,
      XDG_CACHE_HOME: `${folder}/cache`,
      XDG_RUNTIME_DIR: `${folder}/run`,
    },
    UID,
    folder,
  );
}

const foldersOf = (layout: Layout) => [
  layout.stateDir,
  layout.vmsDir,
  layout.imagesDir,
  layout.kernelsDir,
  layout.cacheDir,
  layout.runtimeDir,
];

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** Asserts that the folder at `path` is what is complained of. */
function refused(path: string, why: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isUserError(error, 'STATE_FOLDER_UNUSABLE'));
    assert.ok(error.message.includes(`"${path}"`), error.message);
    assert.match(error.message, why);
    assert.ok(error.hint);
    return true;
  };
}

test('every folder is made, for its owner alone, whatever the umask', async (t) => {
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  await using folder = await newFolder();
  const layout = layoutBelow(folder.path);
  await prepareFolders(layout, UID);
  for (const path of foldersOf(layout)) assert.equal(await modeOf(path), '700', path);
});

test('preparing again keeps what is there and tightens what was loosened', async () => {
  await using folder = await newFolder();
  const layout = layoutBelow(folder.path);
  await prepareFolders(layout, UID);
  await writeFile(join(layout.stateDir, 'banger.db'), 'kept');
  await chmod(layout.runtimeDir, 0o777);
  await prepareFolders(layout, UID);
  assert.equal(await modeOf(layout.runtimeDir), '700');
  assert.ok((await readdir(layout.stateDir)).includes('banger.db'));
});

test('a folder of somebody else is refused, and not changed', async () => {
  await using folder = await newFolder();
  const layout = layoutBelow(folder.path);
  await mkdir(layout.stateDir, { recursive: true });
  await chmod(layout.stateDir, 0o755);
  await assert.rejects(prepareFolders(layout, UID + 1), refused(layout.stateDir, /belongs to uid/));
  assert.equal(await modeOf(layout.stateDir), '755');
});

test(
  'a link planted below /tmp is refused, also one of our own',
  { skip: tmpdir() !== '/tmp' && 'needs /tmp as temporary folder' },
  async () => {
    await using folder = await newFolder();
    const layout = layoutBelow(folder.path);
    const target = join(folder.path, 'elsewhere');
    await mkdir(target);
    await chmod(target, 0o755);
    await mkdir(join(folder.path, 'run'));
    await symlink(target, layout.runtimeDir);
    await assert.rejects(prepareFolders(layout, UID), refused(layout.runtimeDir, /not a folder/));
    assert.equal(await modeOf(target), '755');
  },
);

test('a file in the way is refused', async () => {
  await using folder = await newFolder();
  const layout = layoutBelow(folder.path);
  await mkdir(layout.stateDir, { recursive: true });
  await writeFile(layout.vmsDir, '');
  await assert.rejects(prepareFolders(layout, UID), refused(layout.vmsDir, /cannot be made/));
});

test('a runtime folder too long for sockets is refused before anything is made', async () => {
  await using folder = await newFolder();
  const layout = { ...layoutBelow(folder.path), runtimeDir: `${folder.path}/${'r'.repeat(64)}` };
  await assert.rejects(prepareFolders(layout, UID), (error) => {
    return (
      refused(layout.runtimeDir, /too long for sockets/)(error) &&
      /XDG_RUNTIME_DIR/.test((error as { hint: string }).hint)
    );
  });
  assert.deepEqual(await readdir(folder.path), []);
});

test('the longest runtime folder leaves room for a socket in the folder of a machine', async () => {
  await using folder = await newFolder();
  const runtimeDir = `${folder.path}/`.padEnd(64, 'r');
  await prepareFolders({ ...layoutBelow(folder.path), runtimeDir }, UID);
  assert.ok(Buffer.byteLength(`${runtimeDir}/vm/0123456789ab`) <= 80);
});
