import { buildCommand } from '@stricli/core';
import { formatValue, parseKeyName } from '#config/command-line.ts';
import { Settings } from '#config/layers.ts';
import { readConfigFiles, readHostSize } from '../../config-files.ts';
import type { CliContext } from '../../context.ts';
import { effectiveConfig } from '../../effective-config.ts';
import { jsonFlag } from '../../parameters.ts';
import { keyPositional } from './key-parameter.ts';

interface Flags {
  readonly json: boolean;
}

async function getKey(this: CliContext, { json }: Flags, key: string): Promise<void> {
  const name = parseKeyName(key);
  const settings = Settings.read(await readConfigFiles(this));
  const shown = effectiveConfig(settings, await readHostSize(this), this.env).find((one) => one.key === name);
  if (json) this.output.json(shown);
  else if (shown?.value !== undefined) this.output.line(formatValue(shown.value));
  else this.output.note(`"${name}" is not set: ${shown?.otherwise}`);
}

export const getConfigCommand = buildCommand({
  func: getKey,
  parameters: { flags: { json: jsonFlag }, positional: { kind: 'tuple', parameters: [keyPositional] } },
  docs: {
    brief: 'Print what counts of one key',
    fullDescription: `Print the value of a key that counts, whoever says so. Where nothing is set and there is no default value, nothing is printed.

  banger config get log_level
  banger config get vm_defaults.vcpu`,
  },
});
