import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

export const configPathCommand = buildCommand({
  func(this: CliContext, { json }: Flags) {
    const path = this.layout.configPath;
    if (json) this.output.json({ path });
    else this.output.line(path);
  },
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'Print where your configuration file is',
    fullDescription: `Print the path of your configuration file, whether it is there or not.

  "$EDITOR" "$(banger config path)"`,
  },
});
