import { homedir } from 'node:os';
import { notifyReady } from '#host/ready-pipe.ts';

process.umask(0o077);
const place = { environment: process.env, home: homedir(), entryUrl: import.meta.url };

if (process.argv[2] === '--examine') {
  const { examine } = await import('#daemon/examine.ts');
  process.stdout.write(JSON.stringify(await examine({ ...place, fix: process.argv[3] === '--fix' })));
} else {
  const { runDaemon } = await import('#daemon/daemon.ts');
  try {
    const daemon = await runDaemon(place);
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => daemon.requestShutdown());
    notifyReady(process.env, { ready: true });
    await daemon.finished;
  } catch (error) {
    const { logStartFailure, startFailure } = await import('#daemon/start-failure.ts');
    notifyReady(process.env, { error: startFailure(error) });
    process.exitCode = 1;
    logStartFailure(error);
  }
}
