import { toConfig, type Config } from '#config/config.ts';
import { Settings, type ConfigFiles } from '#config/layers.ts';
import { LOG_LEVELS } from '#config/keys.ts';
import { UserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import { readFileIfThere } from '#host/files.ts';

export type { Config };

/**
 * Reads the user's file and the system's; a missing file is an empty one. The user's wins, key by key.
 *
 * @throws UserError `CONFIG_INVALID` naming the file and the key, or the variable
 */
export async function readConfig(
  paths: Pick<Layout, 'configPath' | 'systemConfigPath'>,
  environment: NodeJS.ProcessEnv,
): Promise<Config> {
  const files: ConfigFiles = {
    user: await readText(paths.configPath),
    system: await readText(paths.systemConfigPath),
  };
  const config = toConfig(Settings.read(files));
  return { ...config, logLevel: readLogLevel(environment) ?? config.logLevel };
}

async function readText(path: string): Promise<ConfigFiles['user']> {
  return { path, text: await readFileIfThere(path) };
}

function readLogLevel(environment: NodeJS.ProcessEnv): Config['logLevel'] | undefined {
  const text = environment['BANGER_LOG_LEVEL'];
  if (text === undefined || text === '') return undefined;
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new UserError('CONFIG_INVALID', `Cannot use BANGER_LOG_LEVEL "${text}": it is no log level`, {
    hint: `set it to one of ${LOG_LEVELS.join(', ')}, or unset it`,
  });
}
