import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { englishOnly, plainBuiltins } from '../../scripts/build/plugins.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'dist/test');
const SOURCES = ['src', 'test/fixtures', 'package-lock.json'];
const PROGRAMS = ['fake-bangerd', 'fake-machine'];
/** A bundle of other sources may be in use by a run that goes on. */
const KEEP_MS = 2 * 3_600_000;
const BANNER =
  "const require = (id) => process.getBuiltinModule('node:module').createRequire(import.meta.url)(id);";

/**
 * The fixture programs as one file each, in a folder that is theirs: from source each start reads and strips five hundred modules, which
 * takes most of the time of a test that kills its daemon. Made once for each state of the sources.
 */
export async function bundleFixtures(): Promise<string> {
  const folder = join(FOLDER, fingerprint());
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.${process.pid}`;
  await build({
    absWorkingDir: ROOT,
    entryPoints: PROGRAMS.map((name) => `test/fixtures/${name}.ts`),
    outdir: temporary,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    sourcemap: 'inline',
    keepNames: true,
    logLevel: 'warning',
    plugins: [plainBuiltins, englishOnly],
  });
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was first
  }
  removeOld(folder);
  return folder;
}

function fingerprint(): string {
  const hash = createHash('sha256').update(process.version);
  for (const source of SOURCES) addTo(hash, join(ROOT, source));
  return hash.digest('hex').slice(0, 16);
}

function addTo(hash: ReturnType<typeof createHash>, path: string): void {
  const stat = statSync(path);
  if (stat.isDirectory()) for (const name of readdirSync(path).toSorted()) addTo(hash, join(path, name));
  else hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
}

function removeOld(current: string): void {
  for (const name of readdirSync(FOLDER)) {
    const path = join(FOLDER, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (path !== current && stat && Date.now() - stat.mtimeMs > KEEP_MS)
      rmSync(path, { recursive: true, force: true });
  }
}
