import type { Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import { GiB, formatSize } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import type { DoctorReport, DoctorRow } from '#contract/owner/host.ts';
import type { Layout } from '#contract/layout.ts';
import { freeSpaceBytes } from '#host/capabilities.ts';
import type { Drivers } from '../vm/machine-runner.ts';

export interface DoctorOptions {
  drivers: Drivers;
  layout: Layout;
  images: { listImages(): unknown[]; listKernels(): unknown[] };
  /** Full path of a program that the daemon runs. */
  findProgram: (name: string) => Promise<string | undefined>;
}

type Verdict = Omit<DoctorRow, 'check'>;

const PROGRAMS: readonly { name: string; debianPackage: string; needed: 'always' | 'for images' }[] = [
  { name: 'qemu-img', debianPackage: 'qemu-utils', needed: 'always' },
  { name: 'mmdebstrap', debianPackage: 'mmdebstrap', needed: 'for images' },
  { name: 'mke2fs', debianPackage: 'e2fsprogs', needed: 'for images' },
  { name: 'fakeroot', debianPackage: 'fakeroot', needed: 'for images' },
  { name: 'depmod', debianPackage: 'kmod', needed: 'for images' },
];

/** Looks at everything a VM needs on this host; a check that cannot be made is a failing row, never an exception. */
export async function examineHost(options: DoctorOptions, { signal }: Abortable): Promise<DoctorReport> {
  const checks: [string, () => Promise<Verdict>][] = [
    ['hypervisor', () => checkHypervisor(options.drivers, signal)],
    ['network', () => checkNetwork(options.drivers, signal)],
    ...PROGRAMS.map((program): [string, () => Promise<Verdict>] => [
      program.name,
      () => checkProgram(program, options.findProgram),
    ]),
    ['disk-space', () => checkDiskSpace(options.layout.stateDir)],
    ['kernel', async () => checkMade(options.images.listKernels().length, 'kernel')],
    ['image', async () => checkMade(options.images.listImages().length, 'image')],
  ];
  const rows: DoctorRow[] = [];
  for (const [check, examine] of checks) rows.push({ check, ...(await examineSafely(examine)) });
  return { rows };
}

async function examineSafely(examine: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await examine();
  } catch (error) {
    return {
      status: 'fail',
      message: messageOf(error),
      ...(isUserError(error) && error.hint && { hint: error.hint }),
    };
  }
}

async function checkHypervisor({ hypervisor }: Drivers, signal: AbortSignal | undefined): Promise<Verdict> {
  const { version, accelerator, reason } = await hypervisor.probe({ signal });
  const message = `${hypervisor.name} ${version}, ${accelerator}: ${reason}`;
  if (accelerator === 'kvm') return { status: 'pass', message };
  return {
    status: 'warn',
    message,
    hint: 'VMs work, but slower; enable virtualisation and access to /dev/kvm for full speed',
  };
}

async function checkNetwork({ network }: Drivers, signal: AbortSignal | undefined): Promise<Verdict> {
  const { version } = await network.probe({ signal });
  return { status: 'pass', message: `${network.name}: ${version}` };
}

async function checkProgram(
  { name, debianPackage, needed }: (typeof PROGRAMS)[number],
  findProgram: DoctorOptions['findProgram'],
): Promise<Verdict> {
  const path = await findProgram(name);
  if (path !== undefined) return { status: 'pass', message: path };
  return {
    status: needed === 'always' ? 'fail' : 'warn',
    message: `${name} is not installed`,
    hint: `apt-get install ${debianPackage}`,
  };
}

async function checkDiskSpace(folder: string): Promise<Verdict> {
  const free = await freeSpaceBytes(folder);
  const message = `${formatSize(free)} free in ${folder}`;
  if (free < 1 * GiB) return { status: 'fail', message, hint: 'make room: an image alone takes about 1 GiB' };
  if (free < 5 * GiB) return { status: 'warn', message, hint: 'make room before making more VMs' };
  return { status: 'pass', message };
}

function checkMade(count: number, what: string): Verdict {
  if (count > 0) return { status: 'pass', message: `${count} ready` };
  return { status: 'warn', message: `no ${what} yet`, hint: 'the first "banger vm run" makes it' };
}
