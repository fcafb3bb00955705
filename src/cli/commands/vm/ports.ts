import { buildCommand } from '@stricli/core';
import { askSeveralVms } from '../../ask-several-vms.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { PORTS_HEAD, toPortRows } from '../../port-rows.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const vmPortsCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, ...references: string[]) {
    using client = await this.connect();
    const { answers, failures } = await askSeveralVms(this, client, {
      references,
      json,
      ask: ({ reference }) => client.ports.list(reference),
    });
    const ports = answers.map(({ value }) => value);
    if (json) this.output.json([...ports, ...failures]);
    else await this.output.table(PORTS_HEAD, ports.flatMap(toPortRows));
  },
  parameters: { flags: { json: jsonFlag }, positional: vmsPositional },
  docs: {
    brief: 'Show what listens in VMs, and how to reach it',
    fullDescription: `Show which ports processes in VMs listen on, and where the host reaches them.

Each VM has an address of its own on the host's loopback. A TCP port on which something listens in the guest is reachable there by
itself, within a second, as long as it is listened on; also under the VM's name where \`.vm\` names are set up. What speaks HTTP or
HTTPS is shown as a URL; that is a guess.

  banger vm ports demo
  curl http://127.77.12.34:3000
  banger vm ports --json web db`,
  },
});
