import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { formatPublished } from '../../port-rows.ts';
import { parseUnpublishSpec } from '../../port-specs.ts';
import { vmParameter } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const unpublishPortCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string, spec: string) {
    const { hostPort, ...options } = parseUnpublishSpec(spec);
    using client = await this.connect();
    const removed = await client.ports.unpublish(reference, hostPort, options);
    if (json) this.output.json(removed);
    else for (const port of removed) this.output.line(formatPublished(port));
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [vmParameter, { brief: '[ADDRESS:]HOST[/tcp|/udp]', placeholder: 'port', parse: String }],
    },
  },
  docs: {
    brief: 'Give a published port of the host up',
    fullDescription: `Give a port of the host up that was published; print where it was reachable. Connections that are open go on until they end.

  banger vm unpublish demo 8080
  banger vm unpublish demo 5353/udp`,
  },
});
