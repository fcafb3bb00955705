import { connect } from 'node:net';
import { systemErrorCode } from '#base/errors.ts';

/** Whether somebody accepts connections on a Unix socket. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = systemErrorCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else if (code === 'EAGAIN')
        resolve(true); // too many are waiting to be accepted
      else reject(error);
    });
  });
}
