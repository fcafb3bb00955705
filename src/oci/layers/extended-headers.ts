import type { ByteSource } from './byte-source.ts';
import { LayerFault } from './layer-fault.ts';
import { MAX_EXTENSION_BYTES, MAX_EXTENSIONS } from './layer-limits.ts';
import { readPaxRecords, type PaxValues } from './pax-records.ts';
import { paddedSizeOf, type TarHeader } from './tar-header.ts';

const TYPES = 'xgLK';

export function isExtension({ type }: TarHeader): boolean {
  return TYPES.includes(type);
}

/** What the extended headers before one member say. They are bounded together: a tar may have any number of them, and no member. */
export class ExtendedHeaders {
  readonly values: PaxValues = {};
  #headers = 0;
  #bytes = 0;

  /** @throws LayerFault when one is damaged, or they are too many or too long */
  async take(source: ByteSource, header: TarHeader): Promise<void> {
    this.#count(header.size);
    const { type, size } = header;
    const padded = await source.take(paddedSizeOf(size));
    if (padded === undefined && size > 0) throw new LayerFault('the tar ends in an extended header');
    const payload = (padded ?? Buffer.alloc(0)).subarray(0, size);
    if (type === 'x') readPaxRecords(payload, this.values);
    if (type === 'L') this.values.path = withoutEnd(payload);
    if (type === 'K') this.values.linkpath = withoutEnd(payload);
    // g, what holds for the whole tar, is git's comment and nothing that makes a file: every container runtime skips it.
  }

  #count(size: number): void {
    if (size < 0) throw new LayerFault('the tar has an extended header of a negative size');
    this.#headers += 1;
    this.#bytes += size;
    if (this.#headers > MAX_EXTENSIONS) {
      throw tooMuch(`more than ${MAX_EXTENSIONS} extended headers before a member`);
    }
    if (this.#bytes > MAX_EXTENSION_BYTES) {
      throw tooMuch('extended headers of more than 1 MiB before a member');
    }
  }
}

/** Not a pattern: one that looks for NULs at the end takes the square of their number where they are in the middle. */
function withoutEnd(payload: Buffer): string {
  let end = payload.length;
  while (end > 0 && payload[end - 1] === 0) end -= 1;
  return payload.toString('latin1', 0, end);
}

function tooMuch(what: string): LayerFault {
  return new LayerFault(`the tar has ${what}`, 'IMAGE_TOO_LARGE');
}
