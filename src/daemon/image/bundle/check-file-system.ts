import { open } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { BUILD_ENVIRONMENT, requireTools } from '#ext4/build-tools.ts';
import { CommandError, lastLines, runCommand } from '#host/run-command.ts';
import { LayerFault } from '#oci/layers/layer-fault.ts';

const SUPERBLOCK = { offset: 1024, bytes: 1024 };
const MAGIC = 0xef53;
const VALID_STATE = 1;
/** Of incompatible features: a journal to be replayed, a file system that is only a journal, 64-bit block numbers. */
const [NEEDS_RECOVERY, JOURNAL_DEVICE, WIDE_BLOCKS] = [0x4, 0x8, 0x80];
/** No guest mounts blocks that are larger than its pages. */
const MAX_BLOCK_BYTES = 4096;
const CHECK_TIMEOUT_MS = 10 * 60_000;

/**
 * Checks that a file is a whole ext4 file system that nothing has to be repaired in.
 *
 * @throws LayerFault; UserError `HOST_TOOL_MISSING`
 */
export async function checkFileSystem(path: string, { signal }: Abortable): Promise<void> {
  await checkSuperblock(path);
  await requireTools('check the file system of a bundle', 'e2fsck');
  const timeout = { timeoutMs: CHECK_TIMEOUT_MS, env: BUILD_ENVIRONMENT };
  try {
    await runCommand('e2fsck', ['-fn', '--', path], { signal, ...timeout });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const why = lastLines(error.stdout, 1)
      .replaceAll(/\P{ASCII}|\p{Cc}/gu, ' ')
      .slice(0, 200);
    throw new LayerFault(`its file system is damaged: ${why.replace(path, '').trim()}`);
  }
}

async function checkSuperblock(path: string): Promise<void> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const block = Buffer.alloc(SUPERBLOCK.bytes);
  const { bytesRead } = await file.read(block, 0, block.length, SUPERBLOCK.offset);
  if (bytesRead !== block.length || block.readUInt16LE(0x38) !== MAGIC)
    throw new LayerFault('its rootfs.ext4 is no ext4 file system');
  const features = block.readUInt32LE(0x60);
  const isOpen = block.readUInt16LE(0x3a) !== VALID_STATE || (features & NEEDS_RECOVERY) !== 0;
  if (isOpen) throw new LayerFault('its file system was not closed properly');
  if ((features & JOURNAL_DEVICE) !== 0)
    throw new LayerFault('its rootfs.ext4 is the journal of another one');
  const blockBytes = 1024 * 2 ** Math.min(block.readUInt32LE(0x18), 30);
  if (blockBytes > MAX_BLOCK_BYTES) throw new LayerFault(`its file system has blocks of ${blockBytes} bytes`);
  const high = (features & WIDE_BLOCKS) === 0 ? 0 : block.readUInt32LE(0x150);
  const bytes = (high * 2 ** 32 + block.readUInt32LE(4)) * blockBytes;
  if (bytes === 0 || bytes > size)
    throw new LayerFault(`its file system says that it has ${bytes} bytes, and there are ${size}`);
}
