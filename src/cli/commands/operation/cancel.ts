import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { EXIT } from '../../output/error.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

export const cancelOperationCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, id: string) {
    using client = await this.connect();
    const operation = await client.operations.cancel(id);
    if (json) this.output.json(operation);
    else this.output.line(operation.id);
    if (operation.status === 'cancelled') return;
    if (operation.status === 'failed') this.exitStatus = EXIT.failure;
    if (!json) this.output.note(`it was too late: the operation ${operation.status}`);
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Id of the operation', placeholder: 'operation', parse: String }],
    },
  },
  docs: {
    brief: 'Break an operation off',
    fullDescription: `Break an operation off and wait until it has rolled back what it did; print its id. \`banger operation list\` shows the ids.

  banger operation cancel op-4f1c2a9be07d`,
  },
});
