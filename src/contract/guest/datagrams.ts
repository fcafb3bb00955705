import { UserError } from '../errors.ts';
import { MalformedError } from './malformed.ts';

/** The largest that UDP over IPv4 carries. */
export const MAX_DATAGRAM_BYTES = 65_507;

const PREFIX_BYTES = 2;

/** A datagram as it travels on a stream. @throws UserError `INVALID_ARGUMENT` when it is longer than UDP's longest */
export function frameDatagram(datagram: Uint8Array): Uint8Array {
  if (datagram.length > MAX_DATAGRAM_BYTES) {
    throw new UserError('INVALID_ARGUMENT', `Cannot send a datagram of ${datagram.length} bytes`);
  }
  const framed = new Uint8Array(PREFIX_BYTES + datagram.length);
  new DataView(framed.buffer).setUint16(0, datagram.length, true);
  framed.set(datagram, PREFIX_BYTES);
  return framed;
}

/** Finds the datagrams in a stream that is cut anywhere. Holds less than one datagram. */
export class DatagramDecoder {
  readonly #buffer = new Uint8Array(PREFIX_BYTES + MAX_DATAGRAM_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #length = 0;

  /** Calls back for each that is complete, with bytes that are the callee's. @throws MalformedError */
  push(bytes: Uint8Array, onDatagram: (datagram: Uint8Array) => void): void {
    let rest = bytes;
    while (rest.length > 0) {
      const part = rest.subarray(0, this.#wanted() - this.#length);
      this.#buffer.set(part, this.#length);
      this.#length += part.length;
      rest = rest.subarray(part.length);
      if (this.#length < PREFIX_BYTES || this.#length < this.#wanted()) continue;
      onDatagram(this.#buffer.slice(PREFIX_BYTES, this.#length));
      this.#length = 0;
    }
  }

  #wanted(): number {
    if (this.#length < PREFIX_BYTES) return PREFIX_BYTES;
    const size = this.#view.getUint16(0, true);
    if (size > MAX_DATAGRAM_BYTES) throw new MalformedError(`a datagram of ${size} bytes`);
    return PREFIX_BYTES + size;
  }
}
