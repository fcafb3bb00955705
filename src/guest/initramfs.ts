import { writeCpio, type CpioEntry } from './cpio.ts';

export interface BootModule {
  /** `virtio_blk.ko` */
  fileName: string;
  content: Uint8Array;
}

export interface InitramfsContent {
  /** The guest agent; becomes `/init`. */
  agent: Uint8Array;
  /** In the order in which they are to be loaded. */
  modules: readonly BootModule[];
}

/**
 * The first file system of a guest: the agent and the modules it needs to reach the root disk (docs/guest-protocol.md).
 *
 * It stays uncompressed. Under emulation the guest would spend longer on unpacking than the host does on reading
 * half a megabyte more from its page cache.
 */
export function buildInitramfs(content: InitramfsContent): Uint8Array {
  const list = content.modules.map(({ fileName }) => `${fileName}\n`).join('');
  const entries: CpioEntry[] = [
    ...['dev', 'modules', 'newroot', 'proc', 'sys'].map((path) => ({
      kind: 'folder' as const,
      path,
      mode: 0o755,
    })),
    // Without it the kernel has no console for init's first words: devtmpfs is not mounted yet.
    { kind: 'device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', path: 'init', mode: 0o755, content: content.agent },
    { kind: 'file', path: 'modules.list', mode: 0o644, content: new TextEncoder().encode(list) },
    ...content.modules.map(({ fileName, content: bytes }) => ({
      kind: 'file' as const,
      path: `modules/${fileName}`,
      mode: 0o644,
      content: bytes,
    })),
  ];
  return writeCpio(entries);
}
