import type { BangerClient } from '#sdk/index.ts';
import { deadlineFor } from './measure.ts';

/** The guest's own init is still at work for a while; what it does is not what is measured. */
export async function settle(client: BangerClient, vm: string): Promise<void> {
  const isUp =
    'until systemctl is-system-running --wait; do systemctl is-system-running | grep -q degraded && break; sleep 1; done';
  const signal = deadlineFor("the guest's own init");
  const command = await client.vms.exec(vm, { argv: ['sh', '-c', `${isUp} >/dev/null 2>&1`] }, { signal });
  command.stdout.resume();
  command.stderr.resume();
  await command.wait();
}
