import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Moves bytes both ways between a connection on the host and one in the guest until both are over: the end of one direction is
 * passed on and leaves the other open, what breaks one breaks the other, and who reads slowly slows its sender.
 */
export function relay(socket: Socket, guest: Duplex): void {
  guest.on('error', () => {}); // its close follows
  guest.once('close', () => {
    if (guest.readableEnded) socket.destroySoon();
    else socket.resetAndDestroy();
  });
  if (socket.destroyed) {
    guest.destroy();
    return;
  }
  socket.once('close', () => {
    // What was sent before a proper end still goes to the guest.
    if (!socket.readableEnded) guest.destroy();
  });
  socket.pipe(guest);
  guest.pipe(socket);
}
