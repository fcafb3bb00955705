import { homedir } from 'node:os';
import { runDaemon, startFailure } from '#daemon/daemon.ts';
import { notifyReady } from '#host/ready-pipe.ts';

process.umask(0o077);

try {
  const daemon = await runDaemon({ environment: process.env, home: homedir(), entryUrl: import.meta.url });
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => daemon.requestShutdown());
  notifyReady(process.env, { ready: true });
  await daemon.finished;
} catch (error) {
  notifyReady(process.env, { error: startFailure(error) });
  process.exitCode = 1;
  throw error;
}
