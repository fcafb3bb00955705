import { messageOf, systemErrorCode } from '#base/errors.ts';
import { MiB } from '#base/sizes.ts';
import { UneditableTomlError } from '#config/edit-toml.ts';
import type { ConfigFiles } from '#config/layers.ts';
import { parseToml, type ConfigFile } from '#config/read-file.ts';
import type { HostSize } from '#config/vm-defaults.ts';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from './context.ts';
import type { LocalMachine } from './local-machine.ts';

/** @throws UserError `CONFIG_INVALID` when a file cannot be read */
export async function readConfigFiles({ layout, openMachine }: CliContext): Promise<ConfigFiles> {
  const machine = await openMachine();
  return {
    user: await readFile(machine, layout.configPath),
    system: await readFile(machine, layout.systemConfigPath),
  };
}

export async function readHostSize({ openMachine }: CliContext): Promise<HostSize> {
  const machine = await openMachine();
  return { cpus: machine.cpus(), memoryMiB: Math.floor(machine.memoryBytes() / MiB) };
}

/**
 * Edits the user's file; says whether that changed it.
 *
 * @throws UserError `CONFIG_INVALID` when it is no TOML, `CONFIG_NOT_EDITABLE`, `CONFIG_NOT_WRITABLE`
 */
export async function editConfigFile(
  { layout, openMachine }: CliContext,
  edit: (text: string) => string,
): Promise<boolean> {
  const machine = await openMachine();
  const path = layout.configPath;
  const { text = '' } = await readFile(machine, path);
  parseToml(path, text);
  const edited = editText(path, text, edit);
  if (edited !== text) await writeFile(machine, path, edited);
  return edited !== text;
}

async function readFile(machine: LocalMachine, path: string): Promise<ConfigFile> {
  try {
    return { path, text: await machine.readText(path) };
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new UserError('CONFIG_INVALID', `Cannot read the configuration "${path}": ${messageOf(error)}`, {
      hint: 'banger doctor',
      cause: error,
    });
  }
}

function editText(path: string, text: string, edit: (text: string) => string): string {
  try {
    return edit(text);
  } catch (error) {
    if (!(error instanceof UneditableTomlError)) throw error;
    throw new UserError('CONFIG_NOT_EDITABLE', `Cannot edit the configuration "${path}": ${error.message}`, {
      hint: 'edit the file by hand',
      cause: error,
    });
  }
}

async function writeFile(machine: LocalMachine, path: string, text: string): Promise<void> {
  try {
    await machine.writeText(path, text);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new UserError(
      'CONFIG_NOT_WRITABLE',
      `Cannot write the configuration "${path}": ${messageOf(error)}`,
      {
        hint: 'banger doctor',
        cause: error,
      },
    );
  }
}
