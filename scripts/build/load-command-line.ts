// dist/banger.cjs: runs dist/cli.cjs with what V8 compiled of it in an earlier run of the same command. Node's own cache holds
// only what is compiled before the code runs, and functions are compiled when they are called: a tenth of `vm exec`.
// No module of Node's is imported: of one that is, the bundler copies every name first (0.3 ms), and the first path.join() takes as long.
import { OWN_BUNDLES } from './own-bundles.ts';

const { closeSync, fsyncSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeSync } =
  process.getBuiltinModule('node:fs');
const { Script } = process.getBuiltinModule('node:vm');

declare const __BANGER_BUILT_AT__: string;

const PREFIX = '(function (exports, require, module, __filename, __dirname) {';
/** One that is in use is made again after that. */
const KEEP_MS = 7 * 24 * 3_600_000;

const command = commandName(process.argv.slice(2));
const main = `${import.meta.dirname}/${OWN_BUNDLES.includes(command) ? `cli-${command}` : 'cli'}.cjs`;
const folder = process.env['NODE_COMPILE_CACHE'];
const cachePath = folder && `${folder}/${command}-${buildStamp()}.code`;
const cachedData = cachePath && readIfThere(cachePath);
// The bundle is ASCII; `latin1` spares the look at each byte.
const script = new Script(`${PREFIX}${readFileSync(main, 'latin1')}\n})`, {
  filename: main,
  columnOffset: -PREFIX.length,
  ...(cachedData && { cachedData }),
});
if (folder && cachePath && (!cachedData || script.cachedDataRejected)) {
  process.on('exit', (status) => {
    if (status === 0) saveCode(folder, cachePath);
  });
}
script.runInThisContext()(exports, require, module, main, import.meta.dirname);

/** Only what succeeds is kept, so a word that is no command gets no file. */
function commandName(argv: readonly string[]): string {
  const end = argv.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  const words = argv.slice(0, end < 0 ? 2 : Math.min(end, 2));
  return words.length > 0 ? words.join('-') : 'none';
}

function buildStamp(): string {
  return __BANGER_BUILT_AT__.replace(/[^0-9]/g, '');
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined; // whatever the reason, the code can be compiled
  }
}

/** V8 trusts what it is given, so nothing half written may ever have the name. */
function saveCode(cacheFolder: string, path: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    removeOld(cacheFolder);
    const file = openSync(temporary, 'wx', 0o600);
    writeSync(file, script.createCachedData());
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true }); // a full or read-only cache makes commands slower, not wrong
  }
}

function removeOld(cacheFolder: string): void {
  for (const name of readdirSync(cacheFolder)) {
    const path = `${cacheFolder}/${name}`;
    if (/\.code(\.\d+)?$/.test(name) && Date.now() - statSync(path).mtimeMs > KEEP_MS) rmSync(path);
  }
}
