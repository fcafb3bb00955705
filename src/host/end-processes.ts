import { systemErrorCode } from '#base/errors.ts';
import { isAlive, signalProcess, waitForProcessExit, type ProcessIdentity } from './proc.ts';

/**
 * Kills it, with its process group where it leads one, and waits for its end. A child that it is just starting is in the group, and
 * cannot be looked for: while it is executed it has no command line.
 */
export async function endProcess(identity: ProcessIdentity): Promise<void> {
  if (await isAlive(identity)) killGroup(identity.pid);
  await signalProcess(identity, 'SIGKILL');
  await waitForProcessExit(identity, { maxMs: 10 });
}

/** Ends what is found until nothing is found: another one may have come to light meanwhile. */
export async function endProcesses(find: () => Promise<readonly ProcessIdentity[]>): Promise<void> {
  for (;;) {
    const found = await find();
    if (found.length === 0) return;
    await Promise.all(found.map(endProcess));
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error; // it leads none
  }
}
