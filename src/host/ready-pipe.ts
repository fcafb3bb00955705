import { closeSync, fstatSync, writeSync } from 'node:fs';

/** Names the descriptor on which whoever started this process waits for one line of JSON. */
export const READY_FD_VARIABLE = 'BANGER_READY_FD';

export interface StartFailure {
  code: string;
  message: string;
  hint?: string | undefined;
}

/** Tells whoever started this process how that went, once; nobody may be waiting. */
export function notifyReady(
  environment: NodeJS.ProcessEnv,
  message: { ready: true } | { error: StartFailure },
): void {
  const fd = Number(environment[READY_FD_VARIABLE]);
  if (!Number.isInteger(fd) || fd < 3) return;
  delete environment[READY_FD_VARIABLE];
  try {
    if (!fstatSync(fd).isFIFO() && !fstatSync(fd).isSocket()) return;
    writeSync(fd, `${JSON.stringify(message)}\n`);
    closeSync(fd);
  } catch {
    // the starter has gone: the daemon serves whoever comes next
  }
}
