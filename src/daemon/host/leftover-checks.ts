import { chmod, lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '#base/if-there.ts';
import type { Layout } from '#contract/layout.ts';
import { isTemporaryName, listFolderIfThere } from '#host/files.ts';
import { isListening } from '#host/socket-probe.ts';
import { combine, fail, FIX_HINT, pass, warn, type Check, type Verdict } from './check.ts';

export interface LeftoverCheckOptions {
  layout: Layout;
  uid: number;
  /** Runs `body` while no daemon runs and none can start. @throws UserError `DAEMON_ALREADY_RUNNING` */
  withoutDaemon: (body: () => Promise<void>) => Promise<void>;
}

/** The socket, and what programs of ours that were killed left behind. */
export function leftoverChecks(options: LeftoverCheckOptions): Check[] {
  return [
    { name: 'socket', examine: () => examineSocket(options) },
    { name: 'unfinished-files', examine: () => examineUnfinished(options) },
  ];
}

async function examineSocket({ layout, uid, withoutDaemon }: LeftoverCheckOptions): Promise<Verdict> {
  const path = layout.socketPath;
  const entry = await ifThere(lstat(path));
  if (!entry) return pass('no daemon listens; the next command that needs it starts it');
  if (!entry.isSocket()) return fail(`${path} is not a socket`, `move it away: mv ${path} ${path}.old`);
  if (entry.uid !== uid)
    return fail(`${path} belongs to uid ${entry.uid}, not to uid ${uid}`, `sudo rm ${path}`);
  if (!(await isListening(path))) {
    const apply = () => withoutDaemon(() => rm(path, { force: true }));
    const message = `${path} was left by a daemon that is gone`;
    return { ...warn(message, FIX_HINT), fixes: [{ action: `removed ${path}`, apply }] };
  }
  const mode = entry.mode & 0o777;
  if ((mode & 0o077) === 0) return pass(`${path}, mode 0600`);
  const message = `${path} has mode 0${mode.toString(8)}: others could command the daemon`;
  const close = { action: `gave ${path} mode 0600`, apply: () => chmod(path, 0o600) };
  return { ...fail(message, FIX_HINT), fixes: [close] };
}

/** A daemon that runs is still writing some of them, and has removed the others at its start. */
async function examineUnfinished({ layout, withoutDaemon }: LeftoverCheckOptions): Promise<Verdict> {
  if (await isListening(layout.socketPath)) return pass('the daemon looks after them');
  const folders = [layout.stateDir, layout.vmsDir, layout.imagesDir, layout.kernelsDir, layout.cacheDir];
  const found = await Promise.all(
    [...folders, layout.runtimeDir].map(async (folder) =>
      (await listFolderIfThere(folder)).filter(isTemporaryName).map((name) => join(folder, name)),
    ),
  );
  const findings = found.flat().map((path): Verdict => {
    const apply = () => withoutDaemon(() => rm(path, { recursive: true, force: true }));
    return { ...warn(path, FIX_HINT), fixes: [{ action: `removed ${path}`, apply }] };
  });
  return combine(findings, 'none');
}
