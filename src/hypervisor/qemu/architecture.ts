import type { HypervisorSupport } from '../hypervisor.ts';

export type Accelerator = HypervisorSupport['accelerator'];

/** What differs between the CPU architectures whose guests QEMU runs on a host of the same architecture. */
export interface QemuArchitecture {
  binary: string;
  /** Debian package of the binary. */
  packageName: string;
  /** Value of `-M`. */
  machine: string;
  /** Value of `-cpu` for each accelerator. */
  cpu: Readonly<Record<Accelerator, string>>;
  /** What the guest's kernel calls the machine's serial port. */
  console: string;
  /** Kernel parameters for emulation only. */
  emulationParameters: readonly string[];
  /** An emulated guest has nothing to calibrate its clock against, so `tsc_early_khz` must be given. */
  needsTscFrequency: boolean;
  /** Recognises what this machine can boot by the file's first 1 KiB. */
  isKernel(head: Buffer): boolean;
}

const X86_64: QemuArchitecture = {
  binary: 'qemu-system-x86_64',
  packageName: 'qemu-system-x86',
  machine: 'microvm,rtc=on',
  // "Fast" string instructions make kernel and libc copy byte by byte under emulation (writing files is 3 times faster
  // without), and a fifth level of page tables is one more step for every miss of the emulated TLB.
  cpu: { kvm: 'host', tcg: 'max,erms=off,fsrm=off,la57=off' },
  console: 'ttyS0',
  // The kernel's tests of its own ciphers and its rewriting of itself for one CPU take a fifth of an emulated boot.
  // The agent starts the other CPUs: until 8.1 QEMU can keep a translation of code that another CPU rewrites at that
  // moment, and a booting kernel rewrites itself all the time; one boot in fifty hung on a busy host.
  // The modules of the initramfs come from the host as the kernel does; to check their signatures again takes 30 ms.
  emulationParameters: [
    ...['cryptomgr.notests', 'noreplace-smp', 'no_timer_check', 'maxcpus=1'],
    'banger.modules_checked=1',
  ],
  needsTscFrequency: true,
  // Documentation/arch/x86/boot.rst: the setup header's magic; an ELF image is booted through its PVH entry.
  isKernel: (head) => head.toString('latin1', 0x202, 0x206) === 'HdrS' || isElf(head),
};

// Not run yet on such a machine.
const AARCH64: QemuArchitecture = {
  binary: 'qemu-system-aarch64',
  packageName: 'qemu-system-arm',
  machine: 'virt,gic-version=max',
  cpu: { kvm: 'host', tcg: 'max' },
  console: 'ttyAMA0',
  emulationParameters: [],
  needsTscFrequency: false,
  // Documentation/arch/arm64/booting.rst: `ARM\x64` at byte 56; a distribution's image may be an EFI program around a compressed one.
  isKernel: (head) => head.toString('latin1', 56, 60) === 'ARMd' || head.toString('latin1', 0, 2) === 'MZ',
};

const ARCHITECTURES: Readonly<Partial<Record<NodeJS.Architecture, QemuArchitecture>>> = {
  x64: X86_64,
  arm64: AARCH64,
};

/** @throws Error on an architecture that banger does not know */
export function getArchitecture(name: NodeJS.Architecture): QemuArchitecture {
  const architecture = ARCHITECTURES[name];
  if (!architecture) throw new Error(`no machine is described for the architecture "${name}"`);
  return architecture;
}

function isElf(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === '\x7fELF';
}
