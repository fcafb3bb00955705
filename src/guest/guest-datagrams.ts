import { DatagramDecoder, frameDatagram } from '#contract/guest/datagrams.ts';
import {
  CREDIT_PORTION_BYTES,
  encodeCredit,
  GuestStream,
  MAX_DATA_BYTES,
} from '#contract/guest/flow-control.ts';
import { FrameType } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import type { ChannelHandler, RawChannel } from './channel.ts';

export interface DatagramHandler {
  /** The bytes are the callee's. */
  onDatagram(datagram: Uint8Array): void;
  /** Once, however it ended: the guest refused, the session is over, or {@link GuestDatagrams.close}. */
  onEnd(): void;
}

/** A UDP socket inside the guest, connected to one of its ports. Never waits: what finds no room is lost, as on any network. */
export class GuestDatagrams {
  readonly #channel: RawChannel;

  constructor(open: (handler: ChannelHandler) => RawChannel, handler: DatagramHandler) {
    const decoder = new DatagramDecoder();
    let ungranted = 0;
    this.#channel = open({
      onFrame: (frame: Frame) => {
        if (frame.type !== FrameType.DATA) return;
        decoder.push(frame.payload, (datagram) => handler.onDatagram(datagram));
        ungranted += frame.payload.length;
        if (ungranted < CREDIT_PORTION_BYTES) return;
        this.#grant(ungranted);
        ungranted = 0;
      },
      onEnd: () => handler.onEnd(),
    });
  }

  /** False when it was lost here. @throws UserError `INVALID_ARGUMENT` when it is longer than UDP's longest */
  send(datagram: Uint8Array): boolean {
    const framed = frameDatagram(datagram);
    if (framed.length > this.#channel.sendCredit || !this.#channel.isWritable) return false;
    for (let offset = 0; offset < framed.length; offset += MAX_DATA_BYTES) {
      const payload = framed.subarray(offset, offset + MAX_DATA_BYTES);
      this.#channel.send({ type: FrameType.DATA, stream: GuestStream.INPUT, payload });
    }
    return true;
  }

  /** Idempotent. */
  close(): void {
    this.#channel.close();
  }

  #grant(bytes: number): void {
    this.#channel.send({ type: FrameType.CREDIT, stream: GuestStream.OUTPUT, payload: encodeCredit(bytes) });
  }
}
