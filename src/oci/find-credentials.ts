import type { Abortable } from '#base/abort.ts';
import { pathVariable, type Environment } from '#base/environment.ts';
import { readFileIfThere } from '#host/files.ts';
import { parseAuthFile, type AuthFile } from './auth-file.ts';
import { askCredentialHelper } from './credential-helper.ts';
import type { Credentials } from './credentials.ts';
import { DEFAULT_REGISTRY } from './reference.ts';

/** The key under which Docker keeps the default registry's login. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/**
 * Where logins are kept, in the order in which they are asked: podman's and skopeo's (containers-auth.json(5)), then Docker's. A
 * variable that holds no absolute path is as if it were not set.
 */
export function authFilesOf(environment: Environment, home: string): string[] {
  const runtimeFolder = pathVariable(environment, 'XDG_RUNTIME_DIR');
  const session = runtimeFolder === undefined ? undefined : `${runtimeFolder}/containers/auth.json`;
  const configFolder = pathVariable(environment, 'XDG_CONFIG_HOME') ?? `${home}/.config`;
  const files = [
    pathVariable(environment, 'REGISTRY_AUTH_FILE') ?? session,
    `${configFolder}/containers/auth.json`,
    `${pathVariable(environment, 'DOCKER_CONFIG') ?? `${home}/.docker`}/config.json`,
  ];
  return files.filter((path) => path !== undefined);
}

/**
 * The login for a repository, from the first file that has one; undefined: try without.
 *
 * @throws UserError REGISTRY_AUTH_FAILED when a file cannot be understood or a credential helper fails
 */
export async function findCredentials(
  place: { registry: string; repository: string },
  authFiles: readonly string[],
  options: Abortable = {},
): Promise<Credentials | undefined> {
  for (const path of authFiles) {
    const text = await readFileIfThere(path);
    if (text === undefined) continue;
    const found = await findInFile(place, parseAuthFile(text, path), options);
    if (found) return found;
  }
  return undefined;
}

async function findInFile(
  { registry, repository }: { registry: string; repository: string },
  { auths, credHelpers, credsStore }: AuthFile,
  options: Abortable,
): Promise<Credentials | undefined> {
  const hosts =
    registry === DEFAULT_REGISTRY ? [registry, 'index.docker.io', 'registry-1.docker.io'] : [registry];
  const helperHost = hosts.find((host) => credHelpers.has(host));
  const serverName = registry === DEFAULT_REGISTRY ? DOCKER_HUB_KEY : registry;
  if (helperHost !== undefined) {
    return askCredentialHelper(credHelpers.get(helperHost) ?? '', serverName, options);
  }
  for (const key of hosts.flatMap((host) => namespacesOf(host, repository))) {
    const found = auths.get(key);
    if (found) return found;
  }
  return credsStore === undefined ? undefined : askCredentialHelper(credsStore, serverName, options);
}

/** A login may be for a part of a registry: the longest path first, the host alone last. */
function namespacesOf(host: string, repository: string): string[] {
  const parts = repository.split('/');
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
  return [...paths.map((path) => `${host}/${path}`), host];
}
