import { constants } from 'node:fs';
import { open, readFile, statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { systemErrorCode } from '#base/errors.ts';

/** What somebody who knows better says about this host. */
export type KvmOverride = 'force-kvm' | 'force-tcg';

export interface KvmSupport {
  usable: boolean;
  /** One sentence without a period. */
  reason: string;
  /** What stands in the way when it is not usable. */
  obstacle?: KvmObstacle;
}

export type KvmObstacle = 'no-device' | 'no-access' | 'no-cpu-flag' | 'forced' | 'unknown';

export interface KvmProbe {
  override?: KvmOverride | undefined;
  /** Default this host's; tests look at another. */
  devicePath?: string;
  cpuInfoPath?: string;
  architecture?: NodeJS.Architecture;
}

/**
 * Whether hardware virtualisation really works here. A device that opens is not enough: inside many virtual machines
 * it is there without the CPU's extension, and a guest then hangs for ever.
 */
export async function detectKvm(probe: KvmProbe = {}): Promise<KvmSupport> {
  if (probe.override === 'force-kvm') return { usable: true, reason: 'the configuration forces KVM' };
  if (probe.override === 'force-tcg') {
    return { usable: false, reason: 'the configuration forces emulation', obstacle: 'forced' };
  }
  const devicePath = probe.devicePath ?? '/dev/kvm';
  const refusal = await findDeviceObstacle(devicePath);
  if (refusal) return { usable: false, ...refusal };
  const needsFlag = (probe.architecture ?? process.arch) === 'x64';
  if (needsFlag && !(await hasVirtualisationFlag(probe.cpuInfoPath ?? '/proc/cpuinfo'))) {
    const reason = `${devicePath} is there but the CPU shows neither vmx nor svm`;
    return { usable: false, reason, obstacle: 'no-cpu-flag' };
  }
  return { usable: true, reason: `${devicePath} opens and the CPU has hardware virtualisation` };
}

export function hostMemoryBytes(): number {
  return totalmem();
}

/** CPUs that this process may use. */
export function hostCpus(): number {
  return availableParallelism();
}

/** Bytes that an unprivileged process can still write to the file system of `path`. */
export async function freeSpaceBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function findDeviceObstacle(
  devicePath: string,
): Promise<{ reason: string; obstacle: KvmObstacle } | undefined> {
  try {
    await (await open(devicePath, constants.O_RDWR)).close();
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return { reason: `${devicePath} does not exist`, obstacle: 'no-device' };
    if (code === 'EACCES' || code === 'EPERM') {
      const reason = `${devicePath} cannot be opened for reading and writing by this user`;
      return { reason, obstacle: 'no-access' };
    }
    if (code !== undefined) return { reason: `${devicePath} cannot be opened: ${code}`, obstacle: 'unknown' };
    throw error;
  }
}

async function hasVirtualisationFlag(cpuInfoPath: string): Promise<boolean> {
  const flags = /^flags\s*:(.*)$/m.exec(await readFile(cpuInfoPath, 'utf8'))?.[1] ?? '';
  return flags.split(/\s+/).some((flag) => flag === 'vmx' || flag === 'svm');
}
