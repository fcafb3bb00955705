import { formatSize, GiB } from '#base/sizes.ts';
import type { KvmSupport } from '#host/capabilities.ts';
import type { Hypervisor } from '#hypervisor/hypervisor.ts';
import type { NetworkDriver } from '#network/network.ts';
import { fail, pass, unlessRefused, warn, type Check, type Verdict } from './check.ts';

/** Of a driver's program, the oldest version that has what the driver uses, and what that is. */
const OLDEST: Readonly<Record<string, { version: string; why: string }>> = {
  qemu: { version: '7.2', why: 'older ones have no network over a stream socket' },
};

/** ADR 10: QEMU's own fault, mended in 8.1, which what is done at boot makes rare. */
const RACY_EMULATION = { name: 'qemu', accelerator: 'tcg', mendedIn: '8.1' };

const KVM_HINTS: Readonly<Record<NonNullable<KvmSupport['obstacle']>, string>> = {
  'no-device':
    'VMs work, but slower; for full speed: sudo modprobe kvm_intel (or kvm_amd), and virtualisation enabled in the firmware',
  'no-access': 'VMs work, but slower; for full speed: sudo usermod -aG kvm $USER, then log in again',
  'no-cpu-flag':
    'VMs work, but slower; this machine is probably virtual itself: for full speed enable nested virtualisation on its host',
  forced: 'VMs work, but slower; for full speed: banger config unset accelerator',
  unknown: 'VMs work, but slower',
};

export interface MachineCheckOptions {
  hypervisor: Pick<Hypervisor, 'name' | 'probe'>;
  network: Pick<NetworkDriver, 'name' | 'probe'>;
  detectKvm: () => Promise<KvmSupport>;
}

/** What runs machines and connects them. */
export function machineChecks({ hypervisor, network, detectKvm }: MachineCheckOptions): Check[] {
  return [
    { name: 'kvm', examine: async () => judgeKvm(await detectKvm()) },
    {
      name: 'hypervisor',
      examine: async ({ signal }) => {
        const { version, accelerator } = await hypervisor.probe({ signal });
        return judgeVersion(hypervisor.name, version, accelerator);
      },
    },
    {
      name: 'network',
      examine: async ({ signal }) => pass(`${network.name}: ${(await network.probe({ signal })).version}`),
    },
  ];
}

function judgeKvm({ usable, reason, obstacle }: KvmSupport): Verdict {
  return usable ? pass(reason) : warn(reason, KVM_HINTS[obstacle ?? 'unknown']);
}

function judgeVersion(name: string, version: string, accelerator: string): Verdict {
  const message = `${name} ${version}, ${accelerator}`;
  const oldest = OLDEST[name];
  if (oldest && isOlder(version, oldest.version)) {
    return fail(`${message}: too old, ${oldest.why}`, `install ${name} ${oldest.version} or later`);
  }
  const { mendedIn } = RACY_EMULATION;
  const isRacy = name === RACY_EMULATION.name && accelerator === RACY_EMULATION.accelerator;
  if (!isRacy || !isOlder(version, mendedIn)) return pass(message);
  return warn(
    `${message}: in rare cases, guests with several CPUs hang`,
    `use KVM, ${name} ${mendedIn} or later, or VMs with --vcpu 1`,
  );
}

function isOlder(version: string, than: string): boolean {
  const [have, need] = [version, than].map((text) =>
    (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number),
  );
  for (const [index, wanted] of (need ?? []).entries()) {
    const found = have?.[index] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}

interface Program {
  name: string;
  debianPackage: string;
  needed: 'always' | 'for images';
}

const PROGRAMS: readonly Program[] = [
  { name: 'qemu-img', debianPackage: 'qemu-utils', needed: 'always' },
  { name: 'mmdebstrap', debianPackage: 'mmdebstrap', needed: 'for images' },
  { name: 'mke2fs', debianPackage: 'e2fsprogs', needed: 'for images' },
  { name: 'fakeroot', debianPackage: 'fakeroot', needed: 'for images' },
  { name: 'depmod', debianPackage: 'kmod', needed: 'for images' },
];

/** Programs that the daemon runs. */
export function programChecks(findProgram: (name: string) => Promise<string | undefined>): Check[] {
  return PROGRAMS.map(({ name, debianPackage, needed }) => ({
    name,
    examine: async () => {
      const path = await findProgram(name);
      if (path !== undefined) return pass(path);
      const verdict = needed === 'always' ? fail : warn;
      return verdict(`${name} is not installed`, `apt-get install ${debianPackage}`);
    },
  }));
}

/** What new VMs are made from. */
export function materialChecks(count: () => { images: number; kernels: number }): Check[] {
  const judge = (made: number, what: string): Verdict =>
    made > 0 ? pass(`${made} ready`) : warn(`no ${what} yet`, 'the first "banger vm run" makes it');
  return [
    { name: 'kernel', examine: () => unlessRefused(() => judge(count().kernels, 'kernel'), 'store') },
    { name: 'image', examine: () => unlessRefused(() => judge(count().images, 'image'), 'store') },
  ];
}

export function judgeFreeSpace(free: number, folder: string): Verdict {
  const message = `${formatSize(free)} free in ${folder}`;
  if (free < 1 * GiB) return fail(message, 'make room: an image alone takes about 1 GiB');
  if (free < 5 * GiB) return warn(message, 'make room before making more VMs');
  return pass(message);
}
