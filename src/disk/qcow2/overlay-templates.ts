import { open, readFile, stat } from 'node:fs/promises';
import { MiB } from '#base/sizes.ts';
import { writeWhole } from '#host/files.ts';

/** What tells one empty overlay from another. */
export interface OverlayKey {
  basePath: string;
  sizeBytes: number;
}

/** An empty overlay without its zeros. */
interface Template {
  bytes: number;
  blocks: { offset: number; content: Buffer }[];
}

const BLOCK_BYTES = 4096;
/** The tables of an empty overlay are 192 KiB, and more only for a disk of many TiB. */
const MAX_FILE_BYTES = 4 * MiB;
const MAX_TEMPLATES = 16;

/**
 * What qemu-img wrote, to be written again: for the same base and size an empty overlay is the same, byte by byte, and a program
 * that is started for it takes 13 ms.
 */
export class OverlayTemplates {
  readonly #known = new Map<string, Template>();

  /** Remembers an overlay that has just been made. */
  async keep(key: OverlayKey, path: string): Promise<void> {
    if ((await stat(path)).size > MAX_FILE_BYTES) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MAX_TEMPLATES) this.#known.delete(oldest);
    this.#known.set(nameOf(key), compact(await readFile(path)));
  }

  /** Makes such an overlay, if one is known. It leaves what it began when it fails. */
  async write(key: OverlayKey, path: string): Promise<boolean> {
    const template = this.#known.get(nameOf(key));
    if (!template) return false;
    await using file = await open(path, 'wx', 0o600);
    for (const { offset, content } of template.blocks) await writeWhole(file, content, offset);
    await file.truncate(template.bytes);
    return true;
  }
}

function nameOf({ basePath, sizeBytes }: OverlayKey): string {
  return `${sizeBytes} ${basePath}`;
}

function compact(content: Buffer): Template {
  const zeros = Buffer.alloc(BLOCK_BYTES);
  const blocks: Template['blocks'] = [];
  for (let offset = 0; offset < content.length; offset += BLOCK_BYTES) {
    const block = content.subarray(offset, offset + BLOCK_BYTES);
    if (!block.equals(zeros.subarray(0, block.length))) blocks.push({ offset, content: Buffer.from(block) });
  }
  return { bytes: content.length, blocks };
}
