import type { VmRecord } from '#store/vm-repository.ts';

const GIB = 2 ** 30;

/** A VM that was made and never started, with whatever a test cares about. */
export function vmRecord(differences: Partial<VmRecord> = {}): VmRecord {
  return {
    id: '0123456789ab',
    name: 'demo',
    state: 'stopped',
    spec: {
      image: 'debian-bookworm',
      vcpus: 2,
      memoryMiB: 1024,
      diskBytes: 8 * GIB,
      network: 'user',
      autoRemove: false,
    },
    imageId: 'aaaaaaaaaaaa',
    kernelId: 'bbbbbbbbbbbb',
    run: null,
    hostAddress: null,
    published: [],
    createdAtMs: 1_700_000_000_000,
    startedAtMs: null,
    stoppedAtMs: null,
    touchedAtMs: null,
    lastError: null,
    ...differences,
  };
}
