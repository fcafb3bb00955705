import { buildCommand } from '@stricli/core';
import { parseKeyName } from '#config/command-line.ts';
import { isInToml, unsetInToml } from '#config/edit-toml.ts';
import { parseKeyPath } from '#config/key-path.ts';
import { editConfigFile } from '../../config-files.ts';
import type { CliContext } from '../../context.ts';
import { noteEffect } from '../../note-config-effect.ts';
import { jsonFlag } from '../../parameters.ts';
import { keyPositional } from './key-parameter.ts';

interface Flags {
  readonly json: boolean;
}

async function unsetKey(this: CliContext, { json }: Flags, key: string): Promise<void> {
  const path = parseKeyPath(key);
  const changed = await editConfigFile(this, (text) => {
    // A key that there is not can still be in the file: the daemon does not start until it is gone.
    if (!isInToml(text, path)) parseKeyName(key);
    return unsetInToml(text, path);
  });
  if (json) this.output.json({ key, changed, path: this.layout.configPath });
  await noteEffect(this, changed);
}

export const unsetConfigCommand = buildCommand({
  func: unsetKey,
  parameters: { flags: { json: jsonFlag }, positional: { kind: 'tuple', parameters: [keyPositional] } },
  docs: {
    brief: 'Remove a key from your configuration file',
    fullDescription: `Remove a key from your file, so that the system's file or the default counts again. Also removes what is no key of banger at all, and a whole table. Works when the daemon cannot start.

  banger config unset log_level
  banger config unset vm_defaults`,
  },
});
