import { join } from 'node:path';

/** What the driver keeps in a machine's runtime folder. */
export interface MachinePaths {
  qmpSocket: string;
  agentSocket: string;
  pidFile: string;
  /** What QEMU itself prints. */
  log: string;
  /** The part of it before. */
  olderLog: string;
  /** Of the process that keeps the console and what QEMU prints. */
  keeperPidFile: string;
}

export function machinePaths(runtimeDir: string): MachinePaths {
  return {
    qmpSocket: join(runtimeDir, 'qmp.sock'),
    agentSocket: join(runtimeDir, 'agent.sock'),
    pidFile: join(runtimeDir, 'qemu.pid'),
    log: join(runtimeDir, 'qemu.log'),
    olderLog: join(runtimeDir, 'qemu.log.1'),
    keeperPidFile: join(runtimeDir, 'log-keeper.pid'),
  };
}
