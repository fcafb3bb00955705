import type { Stats } from 'node:fs';
import { access, chmod, constants, lstat, stat } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import { ifThere } from '#base/if-there.ts';
import type { Layout } from '#contract/layout.ts';
import { ensurePrivateFolder } from '#host/files.ts';
import { combine, fail, FIX_HINT, pass, warn, type Check, type Fix, type Verdict } from './check.ts';

interface FolderRule {
  /** What others may not do: nothing at all, or write. */
  refused: number;
  /** Made by the daemon at its first start. */
  isOurs: boolean;
}

const PRIVATE: FolderRule = { refused: 0o077, isOurs: true };
/** Others may read it: it holds no secret, and people make it by hand. */
const READABLE: FolderRule = { refused: 0o022, isOurs: false };

/** Where everything lives: there, ours, private, and writable. */
export function folderChecks(layout: Layout, uid: number): Check[] {
  const row = (name: string, folders: readonly string[], rule: FolderRule): Check => ({
    name,
    examine: async () => {
      const findings = await Promise.all(folders.map((folder) => examineFolder(folder, uid, rule)));
      return combine(findings.flat(), folders[0] ?? '');
    },
  });
  return [
    row('state-folder', [layout.stateDir, layout.vmsDir, layout.imagesDir, layout.kernelsDir], PRIVATE),
    row('cache-folder', [layout.cacheDir], PRIVATE),
    row('runtime-folder', [layout.runtimeDir], PRIVATE),
    row('config-folder', [layout.configDir], READABLE),
    {
      name: 'private-files',
      examine: async () => {
        const ours = [layout.databasePath, layout.logPath];
        const findings = await Promise.all([
          ...ours.map((path) => examineFile(path, uid, 0o077)),
          examineFile(layout.configPath, uid, 0o022),
        ]);
        return combine(findings.flat(), 'only this user can write what is ours');
      },
    },
  ];
}

async function examineFolder(path: string, uid: number, rule: FolderRule): Promise<Verdict[]> {
  const entry = await statIfThere(path);
  if (!entry) return rule.isOurs ? [notMadeYet(path)] : [];
  if (!entry.isDirectory()) return [fail(`${path} is not a folder`, `move it away: mv ${path} ${path}.old`)];
  if (entry.uid !== uid) return [foreign(path, entry, uid)];
  const mode = entry.mode & 0o7777;
  if ((mode & 0o700) !== 0o700) {
    const message = `${path} has mode ${octal(mode)}: not even its owner can use it`;
    return [{ ...fail(message, FIX_HINT), fixes: [tighten(path, (mode | 0o700) & ~rule.refused)] }];
  }
  if ((mode & rule.refused) !== 0) {
    const message = `${path} has mode ${octal(mode)}: others reach it`;
    return [{ ...warn(message, FIX_HINT), fixes: [tighten(path, mode & ~rule.refused)] }];
  }
  return examineWritable(path);
}

async function examineWritable(path: string): Promise<Verdict[]> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'EROFS' && code !== 'EACCES') throw error;
    const why = code === 'EROFS' ? 'its file system is read-only' : 'this user may not';
    return [
      fail(
        `${path} cannot be written: ${why}`,
        'mount it writable, or choose another through the XDG variables',
      ),
    ];
  }
}

async function examineFile(path: string, uid: number, refused: number): Promise<Verdict[]> {
  const entry = await statIfThere(path);
  if (!entry) return [];
  if (!entry.isFile()) return [fail(`${path} is not a file`, `move it away: mv ${path} ${path}.old`)];
  if (entry.uid !== uid && entry.uid !== 0) return [foreign(path, entry, uid)];
  const mode = entry.mode & 0o7777;
  if ((mode & refused) === 0) return [];
  const message = `${path} has mode ${octal(mode)}: others can ${(mode & 0o022 & refused) === 0 ? 'read' : 'write'} it`;
  return [{ ...warn(message, FIX_HINT), fixes: [tighten(path, mode & ~refused)] }];
}

/** Through links, which may be the owner's own choice; but below /tmp anybody can plant one. */
function statIfThere(path: string): Promise<Stats | undefined> {
  return ifThere(path.startsWith('/tmp/') ? lstat(path) : stat(path));
}

function notMadeYet(path: string): Verdict {
  const make: Fix = { action: `made ${path}`, apply: () => ensurePrivateFolder(path) };
  return { ...pass(`${path} is not made yet`), fixes: [make] };
}

function foreign(path: string, { uid: owner }: Stats, uid: number): Verdict {
  return fail(`${path} belongs to uid ${owner}, not to uid ${uid}`, `sudo chown -R ${uid} ${path}`);
}

function tighten(path: string, mode: number): Fix {
  return { action: `gave ${path} mode ${octal(mode)}`, apply: () => chmod(path, mode) };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
