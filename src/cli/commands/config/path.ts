import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';

export const configPathCommand = buildCommand({
  func(this: CliContext) {
    this.output.line(this.layout.configPath);
  },
  parameters: {},
  docs: {
    brief: 'Print where your configuration file is',
    fullDescription: `Print the path of your configuration file, whether it is there or not.

  "$EDITOR" "$(banger config path)"`,
  },
});
