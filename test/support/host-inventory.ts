// What of the host a test could leave behind, read from /proc and /sys.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

export type ResourceKind =
  'process' | 'socket' | 'interface' | 'loop device' | 'mount' | 'network namespace' | 'file';

export interface HostResource {
  kind: ResourceKind;
  /** The same thing has the same key in a later inventory, another thing another. */
  key: string;
  description: string;
  /** All that could tell whose it is: paths, command line, environment. */
  traces: string;
}

/** Programs that banger starts on the host and that must not outlive a suite. */
const PROGRAMS =
  /^(qemu-(system-.*|img|nbd|storage-daemon)|passt.*|pasta.*|swtpm|firecracker|jailer|virtiofsd|mmdebstrap|fakeroot|faked-\w+|mke2fs|mkfs\.ext4|debugfs|e2fsck|tsc-khz|net-guard|log-keeper)$/;

const TEMPORARY_NAMES = /^(banger|bgt-|bgr-|mmdebstrap\.)/;

/** With the files below `folder`. */
export function takeInventory(folder: string): HostResource[] {
  return [
    ...processes(),
    ...unixSockets(),
    ...interfaces(),
    ...loopDevices(),
    ...mounts(),
    ...networkNamespaces(),
    ...files(folder),
    ...temporaryFiles(),
  ];
}

/** Whether a process with this description is of a kind that banger starts. */
export function isBangerProgram(resource: HostResource): boolean {
  if (resource.kind !== 'process') return false;
  const words = resource.description.replace(/^pid \d+: /, '').split(' ');
  const [program = '', script = ''] = words.map((word) => basename(word));
  return PROGRAMS.test(program) || PROGRAMS.test(script) || /^bangerd(-root)?(\.js|\.ts)?$/.test(script);
}

function processes(): HostResource[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const command = readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      const stat = readOr(`/proc/${pid}/stat`);
      const [state, , , , , , , , , , , , , , , , , , , startTicks] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ');
      // Kernel threads have no command line, zombies are their parent's matter.
      if (command === '' || state === 'Z' || Number(pid) === process.pid) return [];
      const traces = [
        command,
        readOr(`/proc/${pid}/environ`),
        linkOr(`/proc/${pid}/cwd`),
        linkOr(`/proc/${pid}/exe`),
      ];
      return [
        {
          kind: 'process' as const,
          key: `process ${pid} ${startTicks}`,
          description: `pid ${pid}: ${command.slice(0, 300)}`,
          traces: traces.join('\n'),
        },
      ];
    });
}

function unixSockets(): HostResource[] {
  const rows = readOr('/proc/net/unix').trim().split('\n').slice(1);
  return rows.flatMap((row) => {
    const [, , , , , , inode, ...path] = row.trim().split(/\s+/);
    if (path.length === 0) return [];
    const text = path.join(' ');
    return [{ kind: 'socket' as const, key: `socket ${inode} ${text}`, description: text, traces: text }];
  });
}

function interfaces(): HostResource[] {
  return listOr('/sys/class/net').map((name) => {
    const folder = `/sys/class/net/${name}`;
    const index = readOr(join(folder, 'ifindex')).trim();
    const isPaired = readOr(join(folder, 'iflink')).trim() !== index;
    const type = existsSync(join(folder, 'tun_flags'))
      ? 'TAP'
      : existsSync(join(folder, 'bridge'))
        ? 'bridge'
        : isPaired
          ? 'veth'
          : 'interface';
    return {
      kind: 'interface',
      key: `interface ${name} ${index}`,
      description: `${type} ${name}`,
      traces: name,
    };
  });
}

function loopDevices(): HostResource[] {
  return listOr('/sys/block').flatMap((name) => {
    const file = readOr(`/sys/block/${name}/loop/backing_file`).trim();
    if (file === '') return [];
    const description = `/dev/${name} on ${file}`;
    return [{ kind: 'loop device' as const, key: `loop ${description}`, description, traces: file }];
  });
}

function mounts(): HostResource[] {
  const rows = readOr('/proc/self/mountinfo').trim().split('\n');
  return rows.map((row) => {
    const [id, , , root, point] = row.split(' ');
    const source = row.split(' - ')[1] ?? '';
    const description = `${point} (${source})`;
    return {
      kind: 'mount',
      key: `mount ${id} ${point}`,
      description,
      traces: `${point}\n${root}\n${source}`,
    };
  });
}

function networkNamespaces(): HostResource[] {
  return listOr('/run/netns').map((name) => {
    const description = `/run/netns/${name}`;
    return { kind: 'network namespace', key: `netns ${name}`, description, traces: name };
  });
}

function files(folder: string): HostResource[] {
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  return entries.map((entry) => toFile(join(folder, entry)));
}

function temporaryFiles(): HostResource[] {
  const folders = ['/tmp', '/dev/shm', '/run'];
  return folders.flatMap((folder) =>
    listOr(folder)
      .filter((name) => TEMPORARY_NAMES.test(name))
      .map((name) => toFile(join(folder, name))),
  );
}

function toFile(path: string): HostResource {
  let description = path;
  try {
    const stat = lstatSync(path);
    description = `${path} (${stat.isDirectory() ? 'folder' : `${stat.size} bytes`})`;
  } catch {
    // it went while we looked
  }
  return { kind: 'file', key: `file ${path}`, description, traces: path };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function listOr(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
