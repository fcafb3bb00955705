import type { CliContext } from '../../context.ts';
import { parseVmReference } from '../../parameters.ts';

/** The VM that a command is about. */
export const vmParameter = {
  brief: 'Name or id of the VM, or the beginning of either',
  placeholder: 'vm',
  parse: parseVmReference,
  async proposeCompletions(this: CliContext): Promise<readonly string[]> {
    return this.vmNames();
  },
} as const;

export const vmPositional = { kind: 'tuple', parameters: [vmParameter] } as const;

export const vmsPositional = { kind: 'array', minimum: 1, parameter: vmParameter } as const;
