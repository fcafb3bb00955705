import { MalformedError } from './malformed.ts';

const FIELD_HEADER_BYTES = 5;
const U64_MAX = 2n ** 64n;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Builds the payload of a frame: a list of `u8 tag, u32 length, bytes`. */
export class FieldsBuilder {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(tag: number, value: Uint8Array): this {
    const part = new Uint8Array(FIELD_HEADER_BYTES + value.length);
    part[0] = tag;
    new DataView(part.buffer).setUint32(1, value.length, true);
    part.set(value, FIELD_HEADER_BYTES);
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }

  text(tag: number, value: string): this {
    return this.bytes(tag, encoder.encode(value));
  }

  u32(tag: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return this.bytes(tag, bytes);
  }

  u64(tag: number, value: number | bigint): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value) % U64_MAX, true);
    return this.bytes(tag, bytes);
  }

  build(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }
}

/** The fields of a payload. What is asked for and not there is undefined; what is there and malformed throws. */
export class Fields {
  readonly #values = new Map<number, Uint8Array[]>();

  /** @throws MalformedError when a field runs past the payload */
  constructor(payload: Uint8Array) {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    let offset = 0;
    while (offset < payload.length) {
      if (payload.length - offset < FIELD_HEADER_BYTES)
        throw new MalformedError('a field without its length');
      const tag = view.getUint8(offset);
      const length = view.getUint32(offset + 1, true);
      offset += FIELD_HEADER_BYTES;
      if (length > payload.length - offset) throw new MalformedError(`field ${tag} runs past its payload`);
      this.#add(tag, payload.subarray(offset, offset + length));
      offset += length;
    }
  }

  #add(tag: number, value: Uint8Array): void {
    const values = this.#values.get(tag);
    if (values) values.push(value);
    else this.#values.set(tag, [value]);
  }

  /** Every value of a repeated field, in order. */
  all(tag: number): Uint8Array[] {
    return this.#values.get(tag) ?? [];
  }

  bytes(tag: number): Uint8Array | undefined {
    return this.#values.get(tag)?.[0];
  }

  /** Invalid UTF-8 becomes U+FFFD: the text is for people. */
  text(tag: number): string | undefined {
    const value = this.bytes(tag);
    return value === undefined ? undefined : decoder.decode(value);
  }

  texts(tag: number): string[] {
    return this.all(tag).map((value) => decoder.decode(value));
  }

  /** A u32 or a u64, as the length says. A u64 above 2^53 − 1 becomes that. */
  number(tag: number): number | undefined {
    const value = this.bytes(tag);
    if (value === undefined) return undefined;
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    if (value.length === 4) return view.getUint32(0, true);
    if (value.length === 8) return saturate(view.getBigUint64(0, true));
    throw new MalformedError(`field ${tag} is a number of ${value.length} bytes`);
  }

  /** @throws MalformedError when it is not there */
  requireNumber(tag: number): number {
    return present(this.number(tag), tag);
  }

  /** @throws MalformedError when it is not there */
  requireText(tag: number): string {
    return present(this.text(tag), tag);
  }
}

/** A u64 that JavaScript may not hold exactly becomes the greatest number that it does. */
export function saturate(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function present<T>(value: T | undefined, tag: number): T {
  if (value === undefined) throw new MalformedError(`field ${tag} is missing`);
  return value;
}
