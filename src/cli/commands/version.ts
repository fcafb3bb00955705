import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { printVersion } from '../output/version-text.ts';
import { jsonFlag } from '../parameters.ts';

interface Flags {
  readonly json: boolean;
}

export const versionCommand = buildCommand({
  func(this: CliContext, { json }: Flags) {
    printVersion(this.output, { json });
  },
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'Say exactly what is installed',
    fullDescription: `Say exactly what is installed: version, commit, time of the build. \`banger --version\` says it in one line.

  banger version`,
  },
});
