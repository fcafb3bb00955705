import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { formatPublished } from '../../port-rows.ts';
import { parsePublishSpec } from '../../port-specs.ts';
import { vmParameter } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const publishPortCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string, spec: string) {
    const request = parsePublishSpec(spec);
    using client = await this.connect();
    const published = await client.ports.publish(reference, request);
    if (json) {
      this.output.json(published);
      return;
    }
    for (const port of published) {
      this.output.line(formatPublished(port));
      if (port.reason !== undefined) this.output.note(`not reachable yet: ${port.reason}`);
    }
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [
        vmParameter,
        { brief: '[ADDRESS:]HOST:GUEST[/tcp|/udp]', placeholder: 'ports', parse: String },
      ],
    },
  },
  docs: {
    brief: 'Let a port of the host lead to one of a VM',
    fullDescription: `Let a fixed port of the host lead to a port of a VM, whenever the VM runs; print where it is reachable. It stays until it is
unpublished, also over restarts. A port of the host that is taken is an error, now and at each start of the VM.

Without an address it is reachable from this machine only; 0.0.0.0 lets everybody in who reaches this machine. TCP ports
need no publishing to be reachable from this machine: see \`banger vm ports\`.

  banger vm publish demo 8080:80
  banger vm publish demo 5353:53/udp
  banger vm publish demo 0.0.0.0:8080:80`,
  },
});
