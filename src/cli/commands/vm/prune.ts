import { buildCommand } from '@stricli/core';
import type { Vm, VmState } from '#contract/owner/vm.ts';
import { confirm } from '../../confirm.ts';
import type { CliContext } from '../../context.ts';
import { printVms } from '../../list-vms.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { forSeveralVms } from '../../several-vms.ts';

interface Flags {
  readonly force: boolean;
  readonly json: boolean;
}

const IDLE: readonly VmState[] = ['stopped', 'error'];

async function pruneVms(this: CliContext, { force, json }: Flags): Promise<void> {
  const idle = await listIdle(this);
  if (idle.length === 0) {
    if (json) this.output.json([]);
    else this.output.note('every VM runs: nothing to delete');
    return;
  }
  if (!force && !(await askFor(this, idle))) {
    this.output.note('nothing was deleted');
    return;
  }
  await forSeveralVms(this, {
    references: idle.map(({ id }) => id),
    json,
    // Without force: one that was started meanwhile is not for deleting any more.
    begin: (client, reference) => client.vms.delete(reference),
    toJson: () => ({ deleted: true }),
  });
}

async function listIdle(context: CliContext): Promise<Vm[]> {
  using client = await context.connect();
  return (await client.vms.list()).filter(({ state }) => IDLE.includes(state));
}

async function askFor(context: CliContext, vms: readonly Vm[]): Promise<boolean> {
  await printVms(context, vms, { json: false, quiet: false });
  const text =
    vms.length === 1 ? 'Delete this VM with its disk?' : `Delete these ${vms.length} VMs with their disks?`;
  return confirm(context, { text, flag: '--force' });
}

export const pruneVmsCommand = buildCommand({
  func: pruneVms,
  parameters: {
    flags: { force: onOff('Do not ask'), json: jsonFlag },
    aliases: { f: 'force' },
  },
  docs: {
    brief: 'Delete all VMs that do not run',
    fullDescription: `Delete every VM that does not run, with its disk, for good; print the name of each. Shows them and asks first, unless \`--force\` is given.

  banger vm prune
  banger vm prune -f`,
  },
});
