import { GiB, MiB, formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import {
  DEFAULT_IMAGE,
  MAX_VCPUS,
  MIN_MEMORY_MIB,
  type CreateVmRequest,
  type VmSpec,
} from '#contract/owner/vm.ts';

export interface HostSize {
  cpus: number;
  memoryMiB: number;
}

/** A quarter of the host's CPUs and an eighth of its memory for a VM, within bounds; never more than the host has. */
export function defaultSize(host: HostSize): { vcpus: number; memoryMiB: number } {
  const eighth = Math.floor(host.memoryMiB / 8 / 256) * 256;
  return {
    vcpus: clamp(Math.floor(host.cpus / 4), Math.min(2, host.cpus), 4),
    memoryMiB: clamp(eighth, Math.min(1024, host.memoryMiB), 8192),
  };
}

/**
 * The explicit spec of a request, defaults filled in. The disk's lower bound is the image's own size,
 * known only once the image is: {@link resolveDiskBytes}.
 *
 * @throws UserError `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED`
 */
export function resolveSpec(request: CreateVmRequest, host: HostSize): Omit<VmSpec, 'diskBytes'> {
  const size = defaultSize(host);
  const spec = {
    image: request.image ?? DEFAULT_IMAGE,
    vcpus: request.vcpus ?? size.vcpus,
    memoryMiB: request.memoryMiB ?? size.memoryMiB,
    network: request.network ?? 'user',
    autoRemove: request.autoRemove ?? false,
  } as const;
  checkVcpus(spec.vcpus);
  checkMemory(spec.memoryMiB, host);
  if (request.diskBytes !== undefined) checkDisk(request.diskBytes);
  return spec;
}

/** @throws UserError `DISK_TOO_SMALL` */
export function resolveDiskBytes(requested: number | undefined, imageBytes: number): number {
  if (requested === undefined) return imageBytes;
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

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
