import { Duplex } from 'node:stream';
import type { OperationChannel } from './operation-channel.ts';

/** A TCP connection inside the guest as a stream: its end is a half-close, its destruction ends the connection. */
export function guestSocket(connection: GuestConnection): Duplex {
  const { input, output } = connection;
  const socket = new Duplex({
    allowHalfOpen: true,
    read: () => output.resume(),
    write: (chunk: Uint8Array, _encoding, callback) => input.write(chunk, callback),
    // After the guest's end of the connection there is nobody left to tell.
    final: (callback) => (input.destroyed ? callback() : input.end(callback)),
    destroy: (error, callback) => {
      if (error || !output.readableEnded || !input.writableFinished) {
        connection.close();
        callback(error);
        return;
      }
      // Both directions have ended, but the guest may still be writing what it was sent: closing would cut that off.
      void callAfter(connection.result, () => callback(null));
    },
  });
  output.on('data', (chunk: Uint8Array) => {
    if (!socket.push(chunk)) output.pause();
  });
  output.on('end', () => socket.push(null));
  output.on('error', (error) => socket.destroy(error));
  return socket;
}

async function callAfter(end: Promise<unknown>, callback: () => void): Promise<void> {
  await Promise.allSettled([end]);
  callback();
}

type GuestConnection = Pick<OperationChannel<void, void>, 'input' | 'output' | 'result' | 'close'>;
