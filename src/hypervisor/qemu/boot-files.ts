import { open } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { MachineConfig } from '../hypervisor.ts';
import type { QemuArchitecture } from './architecture.ts';

const HEAD_BYTES = 1024;

/**
 * QEMU starts whatever it is given as a kernel, and the machine then hangs: so the file is looked at first.
 *
 * @throws UserError `MACHINE_START_FAILED`
 */
export async function requireKernel(config: MachineConfig, architecture: QemuArchitecture): Promise<void> {
  let head: Buffer;
  try {
    head = await readHead(config.kernelPath);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw unusableKernel(config, `cannot be read: ${code}`, error);
  }
  if (architecture.isKernel(head)) return;
  throw unusableKernel(config, `is not one that ${architecture.binary} can boot`);
}

/** QEMU would make it with the umask's mode. What a guest prints may be private. */
export async function ensureConsoleLog(path: string): Promise<void> {
  await (await open(path, 'a', 0o600)).close();
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(HEAD_BYTES), position: 0 });
  return buffer.subarray(0, bytesRead);
}

function unusableKernel(config: MachineConfig, why: string, cause?: unknown): UserError {
  const message = `Cannot start machine "${config.id}": kernel "${config.kernelPath}" ${why}`;
  return new UserError('MACHINE_START_FAILED', message, {
    hint: 'banger fsck says when files of a kernel are gone; a new VM takes another one with --kernel',
    details: { stderr: '' },
    cause,
  });
}
