import { rmSync } from 'node:fs';
import { cp, link, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathExists } from '#host/files.ts';
import { TestHome } from './test-home.ts';

/** Where the test runner keeps what all machine suites share; it removes it at the end. */
const SHARED_FOLDER = process.env['BANGER_TEST_ARTIFACTS'];

let own: Promise<string> | undefined;

/**
 * A home that has the default image and kernel, without having built them: they are made once for all suites,
 * through the product itself, and are immutable, so every home holds hard links to them.
 */
export async function createMachineHome(
  options: Parameters<typeof TestHome.create>[0] = {},
): Promise<TestHome> {
  const state = await ensureArtifacts();
  const home = await TestHome.create(options);
  await linkTree(state, home.layout.stateDir);
  return home;
}

/** State folder with the image, the kernel and a store that knows both. */
export async function ensureArtifacts(): Promise<string> {
  own ??= makeArtifacts(SHARED_FOLDER ?? (await ownFolder()));
  return own;
}

/** For a suite that runs by itself and for the benchmark, which nobody cleans up after. */
async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-artifacts-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function makeArtifacts(folder: string): Promise<string> {
  const state = join(folder, 'state');
  if (await pathExists(state)) return state;
  await using home = await TestHome.create();
  await home.succeed(['vm', 'create', '--no-start', '--name', 'maker']);
  await home.succeed(['vm', 'delete', 'maker']);
  await home.shutDown();
  const partial = `${state}.partial`;
  await rm(partial, { recursive: true, force: true });
  await linkTree(home.layout.stateDir, partial);
  await rename(partial, state);
  return state;
}

/** Copies folders, hard links what is read-only, copies what is not (the store). */
async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (((await stat(source)).mode & 0o222) === 0) await link(source, target);
    else if (entry.name.startsWith('banger.db')) await cp(source, target);
  }
}
