import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { GuestLink, LinkAddress } from '../link.ts';

/** What a socket answers that is not there yet, or whose owner does not listen yet or has a full backlog. */
const NOT_YET = ['ENOENT', 'ECONNREFUSED', 'EAGAIN'];

/**
 * The guest link over a virtio-serial port of QEMU: `-chardev socket,server=on,wait=off` with `virtserialport,name=banger`.
 *
 * QEMU takes one connection at a time and a further one waits in the backlog. It reads from the socket only while the guest has
 * the port open (`chr_can_read` in QEMU's hw/char/virtio-console.c is 0 until then), so what is sent early is neither lost nor
 * kept in QEMU's memory.
 */
export class VirtioSerialLink implements GuestLink {
  readonly name = 'virtio-serial';

  async connect(address: LinkAddress, options: Abortable = {}): Promise<Duplex> {
    let refusal: unknown;
    const attempt = async () => {
      try {
        return await connectOnce(address.socketPath);
      } catch (error) {
        if (!NOT_YET.includes(systemErrorCode(error) ?? '')) throw unreachable(address, error);
        refusal = error;
        return undefined;
      }
    };
    try {
      return await pollUntil(attempt, { signal: options.signal, firstMs: 1, maxMs: 20 });
    } catch (error) {
      if (error !== options.signal?.reason) throw error;
      throw unreachable(address, refusal ?? error);
    }
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function unreachable(address: LinkAddress, cause: unknown): UserError {
  return new UserError(
    'GUEST_LINK_UNREACHABLE',
    `Cannot reach the guest: "${address.socketPath}" does not accept connections`,
    { hint: 'banger vm list shows whether the VM still runs', cause },
  );
}
