import { GiB, MiB, formatSize } from '#base/sizes.ts';
import { resolveVmDefaults, type HostSize } from '#config/vm-defaults.ts';
import { UserError } from '#contract/errors.ts';
import { MAX_VCPUS, MIN_MEMORY_MIB, type CreateVmRequest, type VmSpec } from '#contract/owner/vm.ts';

export type { HostSize };

/**
 * The explicit spec of a request, defaults filled in. The disk's lower bound is the image's own size,
 * known only once the image is: {@link resolveDiskBytes}.
 *
 * @throws UserError `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED`
 */
export function resolveSpec(
  request: CreateVmRequest,
  host: HostSize,
  defaults = resolveVmDefaults({}, host),
): Omit<VmSpec, 'diskBytes'> {
  const spec = {
    image: request.image ?? defaults.image.value,
    vcpus: request.vcpus ?? defaults.vcpus.value,
    memoryMiB: request.memoryMiB ?? defaults.memoryMiB.value,
    network: request.network ?? defaults.network.value,
    autoRemove: request.autoRemove ?? false,
    ...(request.autoStopAfterMs !== undefined && { autoStopAfterMs: request.autoStopAfterMs }),
  } as const;
  checkSpec({ ...spec, ...(request.diskBytes !== undefined && { diskBytes: request.diskBytes }) }, host);
  return spec;
}

/** @throws UserError `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED` */
export function checkSpec(
  { vcpus, memoryMiB, diskBytes }: Pick<VmSpec, 'vcpus' | 'memoryMiB'> & Partial<Pick<VmSpec, 'diskBytes'>>,
  host: HostSize,
): void {
  checkVcpus(vcpus);
  checkMemory(memoryMiB, host);
  if (diskBytes !== undefined) checkDisk(diskBytes);
}

/**
 * The size of the disk: as requested, else by default, which is never smaller than the image.
 *
 * @throws UserError `DISK_TOO_SMALL`
 */
export function resolveDiskBytes(
  requested: number | undefined,
  imageBytes: number,
  defaultBytes: number | undefined = imageBytes,
): number {
  if (requested === undefined) return Math.max(defaultBytes, imageBytes);
  if (requested >= imageBytes) return requested;
  throw new UserError(
    'DISK_TOO_SMALL',
    `Cannot make a disk of ${formatSize(requested)}: the image's file system takes ${formatSize(imageBytes)}`,
    {
      hint: `give --disk-size ${Math.ceil(imageBytes / GiB)}G or more; disks are sparse, only what is written takes space`,
    },
  );
}

function checkVcpus(vcpus: number): void {
  if (vcpus >= 1 && vcpus <= MAX_VCPUS) return;
  throw new UserError('INVALID_ARGUMENT', `Cannot give a VM ${vcpus} vCPUs: it takes 1 to ${MAX_VCPUS}`, {
    hint: 'for example: --vcpu 2',
  });
}

function checkMemory(memoryMiB: number, host: HostSize): void {
  if (memoryMiB < MIN_MEMORY_MIB) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot give a VM ${memoryMiB} MiB of memory: it takes ${MIN_MEMORY_MIB} MiB or more`,
      {
        hint: 'for example: --memory 1G',
      },
    );
  }
  if (memoryMiB > host.memoryMiB) {
    throw new UserError(
      'HOST_MEMORY_EXCEEDED',
      `Cannot give a VM ${memoryMiB} MiB of memory: this host has ${host.memoryMiB} MiB`,
      { hint: 'give a smaller --memory' },
    );
  }
}

function checkDisk(bytes: number): void {
  if (bytes > 0 && bytes % 512 === 0) return;
  const rule = bytes > 0 ? 'the size is not a multiple of 512' : 'the size must be more than 0';
  throw new UserError('INVALID_ARGUMENT', `Cannot make a disk of ${bytes} bytes: ${rule}`, {
    hint: `for example: --disk-size ${Math.max(1, Math.ceil(bytes / MiB))}M`,
  });
}
