import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type OutputFile } from 'esbuild';
import { buildCommandLine } from './build/command-line.ts';
import { englishOnly, plainBuiltins } from './build/plugins.ts';

// CommonJS packages may call require() while they run, and a module has none. Made when it is called:
// importing node:module for it would cost every start.
const BANNER =
  "const require = (id) => process.getBuiltinModule('node:module').createRequire(import.meta.url)(id);";

/** Writes dist/banger.cjs, dist/cli.cjs with its parts, dist/bangerd.js and dist/sdk.js. */
export async function buildBundle(root: string, commit: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const options: BuildOptions = {
    absWorkingDir: root,
    outdir: 'dist',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    define: {
      __BANGER_VERSION__: JSON.stringify(manifest.version),
      __BANGER_COMMIT__: JSON.stringify(commit),
      __BANGER_BUILT_AT__: JSON.stringify(new Date().toISOString()),
    },
    legalComments: 'none',
    // Names stay for stack traces. What is read at each start is smaller, and the daemon takes 6 MiB less.
    minify: true,
    keepNames: true,
    lineLimit: 160, // what Node prints of an uncaught error is a line
    logLevel: 'warning',
    plugins: [plainBuiltins, englishOnly],
  };
  const files = await Promise.all([
    buildCommandLine(root, options),
    buildWhole(options, { bangerd: 'src/bin/bangerd.ts', sdk: 'src/sdk/index.ts' }),
  ]);
  publish(join(root, 'dist'), files.flat());
}

/** One file each: what runs for days loads all of it, and parts of it could be replaced under its feet. */
async function buildWhole(options: BuildOptions, entryPoints: Record<string, string>): Promise<OutputFile[]> {
  return (await build({ ...options, entryPoints, write: false })).outputFiles;
}

function publish(folder: string, files: readonly OutputFile[]): void {
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    const temporary = `${file.path}.${process.pid}`;
    writeFileSync(temporary, file.contents);
    renameSync(temporary, file.path);
  }
}
