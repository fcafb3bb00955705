import type { Ground } from './ground.ts';
import { RegistryPuller } from './image/source/registry-puller.ts';

/** What fetches images from registries, as the configuration and the environment want it. */
export function composePuller({ layout, config, authFiles, proxy, log }: Ground): RegistryPuller {
  return new RegistryPuller({
    cacheFolder: `${layout.cacheDir}/oci`,
    authFiles,
    proxy,
    log,
    mirrors: config.registryMirrors,
    certificateFiles: config.registryCertificates,
  });
}
