import { isUserError } from '#contract/errors.ts';
import type { PrunedCache } from '#contract/owner/image.ts';
import type { Abortable } from '#base/abort.ts';
import type { Logger } from '#base/log.ts';
import { BlobCache } from '#oci/blob-cache.ts';
import { findManifestDigest, pullImage, type PullOptions } from '#oci/pull-image.ts';
import { keepHeaders } from '#oci/layers/layer-headers.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { parseIfReference } from '#oci/reference.ts';
import type { ImagePuller, PulledImage, PullRequest } from '../builders.ts';
import { readCertificates } from '../read-certificates.ts';
import { makeRootDisk } from '../root-disk.ts';
import { toRunConfig } from '../run-config.ts';
import type { WorkContext } from '../shared-work.ts';

export interface RegistryPullerOptions extends Pick<
  PullOptions,
  'authFiles' | 'mirrors' | 'patience' | 'proxy'
> {
  /** Of authorities to trust besides those of the host, in PEM. */
  certificateFiles?: readonly string[] | undefined;
  /** For the layers that images share; made when it is missing. */
  cacheFolder: string;
  log?: Pick<Logger, 'warn'> | undefined;
}

interface SeenLayer {
  digest: string;
  /** Its headers were kept at an earlier pull. */
  isKnown: boolean;
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
    return parseIfReference(text) !== undefined;
  }

  async pull(request: PullRequest, folder: string, { signal, report }: WorkContext): Promise<PulledImage> {
    const { reference: text, sizeBytes, leastBytes, insecureHttp } = request;
    const place = { ...(await this.#place()), cache: this.#cache };
    return this.#withRepair({ signal }, async (seen) => {
      const onLayer: PullOptions['onLayer'] = async (layer, abortable) => {
        const reading = { limits: LAYER_LIMITS, spent: { bytes: 0 }, ...abortable };
        const one = { digest: layer.digest, isKnown: false };
        seen.push(one);
        one.isKnown = !(await keepHeaders(layer, reading));
      };
      using pulled = await pullImage(text, { ...place, insecureHttp, report, signal, onLayer });
      report.stage('make-file-system');
      const { reference, manifestDigest: digest, config, layers } = pulled;
      await makeRootDisk(
        { root: { layers }, folder, sizeBytes, leastBytes },
        { signal, report, log: this.#options.log },
      );
      return { reference, digest, config: toRunConfig(config) };
    });
  }

  async #place() {
    const { authFiles, mirrors, patience, proxy, certificateFiles = [] } = this.#options;
    return { authFiles, mirrors, patience, proxy, certificates: await readCertificates(certificateFiles) };
  }

  /** Once more when it fails on a layer and what the cache had of it may be the reason. */
  async #withRepair<T>(options: Abortable, pull: (seen: SeenLayer[]) => Promise<T>): Promise<T> {
    const seen: SeenLayer[] = [];
    try {
      return await pull(seen);
    } catch (error) {
      if (!isUserError(error, 'IMAGE_LAYER_INVALID')) throw error;
      const digests = seen.map(({ digest }) => digest);
      const isDamaged = await this.#cache.repair(digests, options);
      if (!isDamaged && !seen.some(({ isKnown }) => isKnown)) throw error;
      return pull([]);
    }
  }

  async findDigest({ reference, insecureHttp }: PullRequest, { signal }: WorkContext): Promise<string> {
    return findManifestDigest(reference, { ...(await this.#place()), insecureHttp, signal });
  }

  async prune({ dryRun }: { dryRun: boolean }): Promise<PrunedCache> {
    const { count, freedBytes } = await this.#cache.prune({ dryRun });
    return { files: count, bytes: freedBytes };
  }
}
