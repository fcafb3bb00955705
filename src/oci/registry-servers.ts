import { UserError } from '#contract/errors.ts';
import { isLoopback, isSafeUrl } from './loopback.ts';
import { DEFAULT_REGISTRY, type ImageReference } from './reference.ts';

/** Where the default registry's API is. */
const DEFAULT_REGISTRY_HOST = 'registry-1.docker.io';

export interface RegistryServer {
  /** Scheme, host and port. */
  url: URL;
  repository: string;
  /** Under which name logins for it are kept. */
  registry: string;
}

export interface ServerOptions {
  /** Registry → URLs to try before it; a path is put before the repository: `https://mirror.example/hub`. */
  mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Speak HTTP without encryption to the registry, which must be on this machine. */
  insecureHttp?: boolean | undefined;
}

/**
 * The servers that have a repository: mirrors in the order given, the registry itself last.
 *
 * @throws UserError INVALID_ARGUMENT for plain HTTP to another machine, CONFIG_VALUE_INVALID for a mirror that is no such URL
 */
export function serversOf(reference: ImageReference, options: ServerOptions): RegistryServer[] {
  const { registry, repository } = reference;
  const mirrors = options.mirrors?.[registry] ?? [];
  const host = registry === DEFAULT_REGISTRY ? DEFAULT_REGISTRY_HOST : registry;
  const url = new URL(`${options.insecureHttp === true ? 'http' : 'https'}://${host}`);
  if (options.insecureHttp === true && !isLoopback(url.hostname)) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot reach "${registry}" without encryption: it is not on this machine`,
      {
        hint: 'Leave --insecure-http out; for a certificate of your own, configure its authority',
      },
    );
  }
  return [...mirrors.map((mirror) => toMirror(mirror, repository)), { url, repository, registry }];
}

function toMirror(mirror: string, repository: string): RegistryServer {
  const url = URL.parse(mirror);
  if (!url || !isSafeUrl(url, { allowPlainLoopback: true }) || url.username !== '' || url.search !== '') {
    throw new UserError('CONFIG_VALUE_INVALID', `Cannot use the mirror "${mirror}": it is no https:// URL`, {
      hint: 'Write https://HOST or https://HOST/PREFIX; http:// only for a mirror on this machine',
    });
  }
  const prefix = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  return {
    url: new URL(url.origin),
    repository: prefix === '' ? repository : `${prefix}/${repository}`,
    registry: url.host,
  };
}
