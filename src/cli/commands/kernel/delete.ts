import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { describeError, EXIT } from '../../output/error.ts';
import { reportFailure } from '../../output/report.ts';
import { jsonFlag } from '../../parameters.ts';
import { kernelParameter } from './kernel-parameter.ts';

interface Flags {
  readonly json: boolean;
}

async function deleteKernels(this: CliContext, { json }: Flags, ...references: string[]): Promise<void> {
  using client = await this.connect();
  const outcomes: object[] = [];
  for (const reference of new Set(references)) {
    try {
      const { id, name } = await client.kernels.delete(reference);
      outcomes.push({ id, name, deleted: true });
      if (!json) this.output.line(name);
    } catch (error) {
      if (references.length === 1) throw error;
      // One that is in use does not save the others.
      this.exitStatus = EXIT.failure;
      const { stack: _, ...described } = describeError(error);
      outcomes.push({ name: reference, error: described });
      if (!json) reportFailure(error, { output: this.output, json });
    }
  }
  if (json) this.output.json(outcomes);
}

export const deleteKernelsCommand = buildCommand({
  func: deleteKernels,
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'array', minimum: 1, parameter: kernelParameter },
  },
  docs: {
    brief: 'Remove kernels that no VM has',
    fullDescription: `Remove kernels; print the name of each. One that a VM or an image has is refused, also while the VM is stopped. Exit status 3 when one
of several was.

  banger kernel delete old-one`,
  },
});
