import { gunzipSync } from 'node:zlib';
import { messageOf } from '#base/errors.ts';
import { formatSize } from '#base/sizes.ts';
import { isUserError, type UserError } from '#contract/errors.ts';
import { isStartableElf, MAX_KERNEL_BYTES, unpackKernel } from '#hypervisor/elf-kernel.ts';
import type { Architecture } from '../architecture.ts';
import { unusableKernel } from './kernel-problem.ts';

type ArchitectureName = Architecture['name'];

export interface KernelImage {
  release: string;
  /** As it was given, but for gzip around all of it. */
  image: Buffer;
  /** Unpacked, where it is known how; for reading only unless it can be started directly. */
  unpacked: Buffer | undefined;
  isStartable: boolean;
}

/** Documentation/arch/x86/boot.rst */
const X86 = { magicAt: 0x202, versionAt: 0x20e, loadFlagsAt: 0x236, is64Bit: 1, headerBytes: 0x250 };
const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: 'i386',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv',
};
const STARTABLE_HINTS: Record<ArchitectureName, string> = {
  x86_64: 'build it with CONFIG_PVH, or import its bzImage',
  aarch64: 'import its Image or Image.gz',
};
const GZIP_MAGIC = '1f8b';
const CPIO_MAGICS = ['070701', '070702'];
const RELEASE = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}$/;
const BANNER = 'Linux version ';

export interface ReadKernelOptions {
  /** For messages: a path. */
  name: string;
  architecture: ArchitectureName;
  workFolder: string;
  signal: AbortSignal;
}

/**
 * Looks at what claims to be a kernel: format, architecture, release, and what is packed in it.
 *
 * @throws UserError `KERNEL_INVALID`, `HOST_TOOL_MISSING`
 */
export async function readKernelImage(image: Buffer, options: ReadKernelOptions): Promise<KernelImage> {
  const what = `"${options.name}"`;
  const plain = unpackWhole(image, what);
  const found = architectureOf(plain);
  if (found === undefined) throw unknownFormat(plain, what);
  if (found !== options.architecture)
    throw unusableKernel(what, `it is for ${found}, and this host runs ${options.architecture}`);
  try {
    return await look(plain, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (isUserError(error)) throw error;
    throw unusableKernel(what, messageOf(error), { cause: error });
  }
}

async function look(image: Buffer, options: ReadKernelOptions): Promise<KernelImage> {
  const isElf = startsAsElf(image);
  const unpacked = isElf || isArmImage(image) ? image : await unpackKernel(image, options);
  const isStartable = unpacked !== undefined && isStartableElf(unpacked);
  if (isElf && !isStartable)
    throw unusableKernel(`"${options.name}"`, 'it has no entry by which a virtual machine could start it', {
      hint: STARTABLE_HINTS[options.architecture],
    });
  const release = releaseOf(image) ?? (unpacked && bannerRelease(unpacked)) ?? '';
  if (!RELEASE.test(release)) throw new Error('it does not say which release of Linux it is');
  return { release, image, unpacked, isStartable };
}

function startsAsElf(image: Buffer): boolean {
  return image.toString('latin1', 0, 4) === '\x7fELF';
}

function architectureOf(image: Buffer): string | undefined {
  if (image.length < X86.headerBytes || image.length > MAX_KERNEL_BYTES) return undefined;
  if (startsAsElf(image)) {
    const machine = image.readUInt16LE(18);
    return ELF_MACHINES[machine] ?? `ELF machine ${machine}`;
  }
  if (image.toString('latin1', X86.magicAt, X86.magicAt + 4) === 'HdrS')
    return (image.readUInt16LE(X86.loadFlagsAt) & X86.is64Bit) === 0 ? 'i386' : 'x86_64';
  return isArmImage(image) ? 'aarch64' : undefined;
}

/** Documentation/arch/arm64/booting.rst */
function isArmImage(image: Buffer): boolean {
  return image.toString('latin1', 56, 60) === 'ARMd';
}

/** An arm64 `Image.gz`, as Ubuntu ships it: such an Image does not unpack itself. */
function unpackWhole(image: Buffer, what: string): Buffer {
  if (image.toString('hex', 0, 2) !== GZIP_MAGIC) return image;
  try {
    return gunzipSync(image, { maxOutputLength: MAX_KERNEL_BYTES });
  } catch (error) {
    const condition = `its gzip data is damaged or unpacks to more than ${formatSize(MAX_KERNEL_BYTES)}`;
    throw unusableKernel(what, condition, { cause: error });
  }
}

function unknownFormat(image: Buffer, what: string): UserError {
  if (CPIO_MAGICS.includes(image.toString('latin1', 0, 6)))
    return unusableKernel(what, 'it is an initramfs', {
      hint: "give the kernel; VMs boot with banger's own initramfs",
    });
  if (image.toString('latin1', 4, 8) === 'zimg')
    return unusableKernel(what, 'it is packed for EFI', {
      hint: 'build it without CONFIG_EFI_ZBOOT, or give its Image',
    });
  return unusableKernel(what, 'it is neither a bzImage nor an ELF image nor an arm64 Image');
}

function releaseOf(image: Buffer): string | undefined {
  if (image.toString('latin1', X86.magicAt, X86.magicAt + 4) !== 'HdrS') return bannerRelease(image);
  const at = image.readUInt16LE(X86.versionAt) + 0x200;
  return image.toString('latin1', at, at + 100).split(/[ \0]/)[0];
}

function bannerRelease(kernel: Buffer): string | undefined {
  // The format of /proc/version holds the same words before the banner itself.
  for (let at = kernel.indexOf(BANNER); at >= 0; at = kernel.indexOf(BANNER, at + 1)) {
    const word = kernel.toString('latin1', at + BANNER.length, at + BANNER.length + 100).split(/[ \0]/)[0];
    if (word !== undefined && RELEASE.test(word)) return word;
  }
  return undefined;
}
