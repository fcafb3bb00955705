import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs of ours that the daemon uses. */
export interface Installation {
  root: string;
  /** The guest agent, /init of the initramfs. */
  agentPath: string;
  /** Measures the TSC frequency. */
  tscProbePath: string;
  /** Starts a machine and keeps what it prints. */
  logKeeperPath: string;
  /** Stands between a machine and passt. */
  netGuardPath: string;
}

/** Finds the installation from the program that runs: `dist/bangerd.js` or `src/bin/bangerd.ts` below the same root. */
export function findInstallation(entryUrl: string): Installation {
  let root = dirname(fileURLToPath(entryUrl));
  while (!existsSync(join(root, 'package.json')) && root !== '/') root = dirname(root);
  return {
    root,
    agentPath: join(root, 'agent/build/banger-agent'),
    tscProbePath: join(root, 'native/build/tsc-khz'),
    logKeeperPath: join(root, 'native/build/log-keeper'),
    netGuardPath: join(root, 'native/build/net-guard'),
  };
}
