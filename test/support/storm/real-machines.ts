import { join } from 'node:path';
import { pollUntil } from '#base/backoff.ts';
import { isAlive } from '#host/proc.ts';
import { QemuHypervisor } from '#hypervisor/qemu/qemu-hypervisor.ts';
import type { TestHome } from '../test-home.ts';
import type { StormPlace } from './storm.ts';

/** A home where a storm meets QEMU and the daemon that users have. */
export function realMachinesIn(home: TestHome): StormPlace {
  const { layout } = home;
  const hypervisor = new QemuHypervisor({
    tscHelperPath: 'none',
    logKeeperPath: 'none',
    cacheDir: layout.cacheDir,
  });
  return {
    start: async () => {
      await home.succeed(['kernel', 'list']);
      return home.client();
    },
    killDaemon: () => home.killDaemon(),
    daemonGone: async () => {
      const daemon = await home.daemon().catch(() => undefined);
      const isGone = async () => (daemon && (await isAlive(daemon)) ? undefined : true);
      await pollUntil(isGone, { signal: AbortSignal.timeout(30_000) });
    },
    listMachines: () => hypervisor.listMachines(join(layout.runtimeDir, 'vm')),
  };
}
