import { open, stat } from 'node:fs/promises';

/** Makes a file of this size that takes no space yet; it must not exist. */
export async function createSparseFile(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}

/** What the file takes on the host, holes not counted. */
export async function allocatedBytes(path: string): Promise<number> {
  const { blocks } = await stat(path);
  return blocks * 512; // stat(2) counts in 512 bytes whatever the file system's block size
}

/** Makes the content durable, so that a rename never publishes a file that a power cut then empties. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
