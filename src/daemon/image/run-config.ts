import type { RunConfig } from '#contract/owner/image.ts';
import type { ImageConfig } from '#oci/image-config.ts';

/** What is kept of a configuration: what it says, and nothing for what it does not. */
export function toRunConfig(config: ImageConfig): RunConfig {
  const { entrypoint, cmd, env, workingDir, user, labels, exposedPorts, stopSignal } = config;
  return {
    ...(entrypoint.length > 0 && { entrypoint }),
    ...(cmd.length > 0 && { cmd }),
    ...(env.length > 0 && { env }),
    ...(workingDir !== '' && { workingDir }),
    ...(user !== '' && { user }),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(exposedPorts.length > 0 && { exposedPorts }),
    ...(stopSignal !== '' && { stopSignal }),
  };
}
