import { buildCommand } from '@stricli/core';
import { parseKeyName, parseValue } from '#config/command-line.ts';
import { setInToml } from '#config/edit-toml.ts';
import { parseKeyPath } from '#config/key-path.ts';
import { editConfigFile } from '../../config-files.ts';
import type { CliContext } from '../../context.ts';
import { noteEffect } from '../../note-config-effect.ts';
import { jsonFlag } from '../../parameters.ts';
import { keyPositional } from './key-parameter.ts';

interface Flags {
  readonly json: boolean;
}

async function setKey(this: CliContext, { json }: Flags, key: string, value: string): Promise<void> {
  const name = parseKeyName(key);
  const written = parseValue(name, value);
  const changed = await editConfigFile(this, (text) => setInToml(text, parseKeyPath(name), written));
  if (json) this.output.json({ key: name, value: written, changed, path: this.layout.configPath });
  await noteEffect(this, changed);
}

export const setConfigCommand = buildCommand({
  func: setKey,
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [
        keyPositional,
        { brief: 'Its value; items of a list with commas between them', placeholder: 'value', parse: String },
      ],
    },
  },
  docs: {
    brief: 'Set a key in your configuration file',
    fullDescription: `Set a key in your file, which is made when it is missing. Comments, order and blank lines stay. The value is checked first. It counts from the next start of the daemon: \`banger daemon stop\`, VMs run on.

  banger config set log_level debug
  banger config set vm_defaults.memory_mib 2048
  banger config set default_dns 9.9.9.9,1.1.1.1`,
  },
});
