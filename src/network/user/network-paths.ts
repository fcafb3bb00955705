import { join } from 'node:path';

/** What the driver keeps in a machine's runtime folder. */
export interface NetworkPaths {
  /** Where the hypervisor's network card connects. */
  socket: string;
  /** Appears once packets are carried. */
  ready: string;
  /** What the programs print before they are ready, and when they fail. */
  output: string;
  /** passt's own log, which it bounds to 1 MiB. */
  log: string;
}

export function networkPaths(runtimeDir: string): NetworkPaths {
  return {
    socket: join(runtimeDir, 'net.sock'),
    ready: join(runtimeDir, 'net.sock.ready'),
    output: join(runtimeDir, 'net.out'),
    log: join(runtimeDir, 'passt.log'),
  };
}
