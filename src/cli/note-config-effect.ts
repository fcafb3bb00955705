import { Settings } from '#config/layers.ts';
import { isUserError } from '#contract/errors.ts';
import { readConfigFiles } from './config-files.ts';
import type { CliContext } from './context.ts';

/** Says what a change of the configuration file brings, and what is still wrong with it. */
export async function noteEffect(context: CliContext, changed: boolean): Promise<void> {
  if (changed)
    context.output.note(
      `wrote ${context.layout.configPath}; it counts from the daemon's next start: banger daemon stop`,
    );
  else context.output.note(`nothing to change in ${context.layout.configPath}`);
  try {
    Settings.read(await readConfigFiles(context));
  } catch (error) {
    if (!isUserError(error, 'CONFIG_INVALID')) throw error;
    context.output.note(`the daemon will not start yet: ${error.message}`);
  }
}
