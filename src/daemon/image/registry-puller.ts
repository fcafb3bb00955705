import { isUserError, UserError } from '#contract/errors.ts';
import type { PrunedCache } from '#contract/owner/image.ts';
import { readFileIfThere } from '#host/files.ts';
import { BlobCache } from '#oci/blob-cache.ts';
import { pullImage, type PullOptions } from '#oci/pull-image.ts';
import { parseReference } from '#oci/reference.ts';
import type { ImagePuller, PulledImage, PullRequest } from './builders.ts';
import { makeRootDisk } from './root-disk.ts';
import { toRunConfig } from './run-config.ts';
import type { WorkContext } from './shared-work.ts';

export interface RegistryPullerOptions extends Pick<PullOptions, 'authFiles' | 'mirrors' | 'patience'> {
  /** Of authorities to trust besides those of the host, in PEM. */
  certificateFiles?: readonly string[] | undefined;
  /** For the layers that images share; made when it is missing. */
  cacheFolder: string;
}

/** Makes images of what OCI and Docker registries have. */
export class RegistryPuller implements ImagePuller {
  readonly #options: RegistryPullerOptions;
  readonly #cache: BlobCache;

  constructor(options: RegistryPullerOptions) {
    this.#options = options;
    this.#cache = new BlobCache(options.cacheFolder);
  }

  isReference(text: string): boolean {
    try {
      parseReference(text);
      return true;
    } catch (error) {
      if (isUserError(error, 'IMAGE_REFERENCE_INVALID')) return false;
      throw error;
    }
  }

  async pull(request: PullRequest, folder: string, { signal, report }: WorkContext): Promise<PulledImage> {
    const { reference: text, sizeBytes, insecureHttp } = request;
    const { authFiles, mirrors, patience, certificateFiles = [] } = this.#options;
    const certificates = await Promise.all(certificateFiles.map(readCertificate));
    const place = { cache: this.#cache, authFiles, mirrors, certificates, patience };
    using pulled = await pullImage(text, { ...place, insecureHttp, report, signal });
    report.stage('make-file-system');
    const { reference, manifestDigest: digest, config, layers } = pulled;
    await makeRootDisk({ root: { layers }, folder, sizeBytes }, { signal });
    return { reference, digest, config: toRunConfig(config) };
  }

  async prune({ dryRun }: { dryRun: boolean }): Promise<PrunedCache> {
    const { count, freedBytes } = await this.#cache.prune({ keep: [], dryRun });
    return { files: count, bytes: freedBytes };
  }
}

async function readCertificate(path: string): Promise<string> {
  const text = await readFileIfThere(path);
  if (text !== undefined) return text;
  throw new UserError(
    'CONFIG_VALUE_INVALID',
    `Cannot trust the certificates in "${path}": there is no such file`,
    {
      hint: 'banger config get registry_certificates',
    },
  );
}
