import { fail, pass, warn, type Check, type Verdict } from './check.ts';

/** A machine costs the daemon some ten: control, guest link, console, and those of the clients that use it. */
const OPEN_FILES = { least: 256, enough: 4096 };
const INOTIFY = { instances: 64, watches: 8192 };

const LIMITS_PATH = '/proc/self/limits';
const INOTIFY_PATH = '/proc/sys/fs/inotify';

/** What the kernel allows a process of this user. `readText` gives the text of a file of /proc. */
export function limitChecks(readText: (path: string) => Promise<string>): Check[] {
  return [
    { name: 'open-files', examine: async () => judgeOpenFiles(await readText(LIMITS_PATH)) },
    {
      name: 'inotify',
      examine: async () => {
        const [instances = 0, watches = 0] = await Promise.all(
          ['max_user_instances', 'max_user_watches'].map(async (name) =>
            Number(await readText(`${INOTIFY_PATH}/${name}`)),
          ),
        );
        return judgeInotify(instances, watches);
      },
    },
  ];
}

function judgeOpenFiles(limits: string): Verdict {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  if (soft === undefined)
    return fail(`${LIMITS_PATH} has no line for open files`, 'report it: banger cannot read this kernel');
  const count = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  const message = `${soft} open files a process, at most ${hard}`;
  const hint = 'raise "nofile" in /etc/security/limits.conf, log in again, then: banger daemon stop';
  if (count < OPEN_FILES.least) return fail(message, hint);
  return count < OPEN_FILES.enough ? warn(`${message}: too few for many VMs`, hint) : pass(message);
}

function judgeInotify(instances: number, watches: number): Verdict {
  const message = `${instances} inotify instances, ${watches} watches`;
  if (instances >= INOTIFY.instances && watches >= INOTIFY.watches) return pass(message);
  return warn(
    `${message}: few for everything that this user runs`,
    `sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=65536`,
  );
}
