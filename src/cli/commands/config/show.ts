import { buildCommand } from '@stricli/core';
import { describeKey } from '#config/keys.ts';
import { Settings } from '#config/layers.ts';
import { readConfigFiles, readHostSize } from '../../config-files.ts';
import type { CliContext } from '../../context.ts';
import { effectiveConfig, showValue } from '../../effective-config.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

async function showConfig(this: CliContext, { json }: Flags): Promise<void> {
  const settings = Settings.read(await readConfigFiles(this));
  const shown = effectiveConfig(settings, await readHostSize(this), this.env);
  if (json) {
    const described = shown.map((setting) => {
      const { takes, description, fallback } = describeKey(setting.key);
      return { ...setting, default: fallback, takes, description };
    });
    const { configPath, systemConfigPath } = this.layout;
    this.output.json({ files: { user: configPath, system: systemConfigPath }, settings: described });
    return;
  }
  const rows = shown.map((setting) => [setting.key, showValue(setting), setting.source]);
  await this.output.table(['KEY', 'VALUE', 'SOURCE'], rows);
}

export const showConfigCommand = buildCommand({
  func: showConfig,
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'List every key, what counts, and who says so',
    fullDescription: `List every key with the value that counts and its source: "user" is your file, "system" is /etc/banger/config.toml, "host" follows from the size of this machine, "environment" is a variable, "default" is nobody. Does not need the daemon.

  banger config show
  banger config show --json`,
  },
});
