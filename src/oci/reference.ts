import { isUserError, UserError } from '#contract/errors.ts';
import { isDigest } from './digest.ts';

/** Where an image is: all parts are filled in, so that two spellings of one place are equal. */
export interface ImageReference {
  /** Host with port if any: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  registry: string;
  /** `library/alpine`. */
  repository: string;
  /** Undefined when only a digest was given. */
  tag: string | undefined;
  /** Wins over the tag when both were given. */
  digest: string | undefined;
}

/** What a name without a host means, as in Docker. */
export const DEFAULT_REGISTRY = 'docker.io';
export const DEFAULT_NAMESPACE = 'library';
export const DEFAULT_TAG = 'latest';
/** The default registry's former name, which old scripts still use. */
const DEFAULT_REGISTRY_ALIAS = 'index.docker.io';

const MAX_LENGTH = 512;
const MAX_REPOSITORY_LENGTH = 255;
const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d{1,5})?$/;
const PATH_PART = /^[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/**
 * Parses `alpine`, `ubuntu:24.04`, `ghcr.io/acme/tool@sha256:…`, `localhost:5000/app`.
 *
 * @throws UserError IMAGE_REFERENCE_INVALID that names the part which is wrong
 */
export function parseReference(text: string): ImageReference {
  assertWhole(text);
  const [named, digest] = splitDigest(text);
  const [name, tag] = splitTag(named, text);
  const { registry, repository } = splitHost(name, text);
  return {
    registry,
    repository,
    tag: tag ?? (digest === undefined ? DEFAULT_TAG : undefined),
    digest,
  };
}

/** Undefined when the text is no reference. */
export function parseIfReference(text: string): ImageReference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (isUserError(error, 'IMAGE_REFERENCE_INVALID')) return undefined;
    throw error;
  }
}

/** The full spelling, which parses to the same reference. */
export function formatReference({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function assertWhole(text: string): void {
  if (text === '') throw invalid(text, 'it is empty');
  if (text.length > MAX_LENGTH) {
    throw invalid(`${text.slice(0, 40)}…`, `it has more than ${MAX_LENGTH} characters`);
  }
  const scheme = /^[a-z-]+:\/\//i.exec(text);
  if (scheme) throw invalid(text, 'a reference has no scheme', `Leave "${scheme[0]}" out`);
  const odd = /[^\w./:@[\]-]/.exec(text);
  if (odd) throw invalid(text, `it contains ${JSON.stringify(odd[0])}`);
}

function splitDigest(text: string): [string, string | undefined] {
  const at = text.indexOf('@');
  if (at < 0) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) {
    throw invalid(text, `"${digest}" is no digest`, 'A digest is sha256: and 64 lower-case hex digits');
  }
  return [text.slice(0, at), digest];
}

function splitTag(named: string, text: string): [string, string | undefined] {
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  if (colon < 0) return [named, undefined];
  const tag = named.slice(colon + 1);
  if (!TAG.test(tag)) {
    const rule = 'A tag is 1 to 128 letters, digits, ".", "_" or "-", the first no "." or "-"';
    throw invalid(text, `"${tag}" is no tag`, rule);
  }
  return [named.slice(0, colon), tag];
}

function splitHost(name: string, text: string): Pick<ImageReference, 'registry' | 'repository'> {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const hasHost = isHost(first);
  const registry = hasHost ? parseHost(first, text) : DEFAULT_REGISTRY;
  const path = hasHost ? name.slice(slash + 1) : name;
  assertPath(path, text);
  const isShort = registry === DEFAULT_REGISTRY && !path.includes('/');
  return { registry, repository: isShort ? `${DEFAULT_NAMESPACE}/${path}` : path };
}

/** What is before the first slash. As Docker tells them apart: an ordinary word is a namespace of the default registry. */
export function isHost(first: string): boolean {
  return /[.:[]/.test(first) || first.toLowerCase() === 'localhost';
}

function parseHost(host: string, text: string): string {
  const lower = host.toLowerCase();
  const port = Number(/:(\d+)$/.exec(lower.replace(/^\[.*\]/, ''))?.[1] ?? 1);
  if (!HOST.test(lower) || !URL.canParse(`https://${lower}`) || port < 1 || port > 65_535) {
    throw invalid(
      text,
      `"${host}" is no host of a registry`,
      'Give host or host:port before the first slash',
    );
  }
  return lower === DEFAULT_REGISTRY_ALIAS ? DEFAULT_REGISTRY : lower;
}

function assertPath(path: string, text: string): void {
  if (path.length > MAX_REPOSITORY_LENGTH) {
    throw invalid(text, `the repository has more than ${MAX_REPOSITORY_LENGTH} characters`);
  }
  if (/[A-Z]/.test(path)) {
    throw invalid(text, `the repository "${path}" has capitals`, `Did you mean "${path.toLowerCase()}"?`);
  }
  const wrong = path.split('/').find((part) => !PATH_PART.test(part));
  if (wrong !== undefined) {
    const rule = 'Parts are lower-case letters and digits, with ".", "_", "__" or hyphens between them';
    throw invalid(
      text,
      wrong === '' ? 'a part of the path is empty' : `"${wrong}" is no part of a path`,
      rule,
    );
  }
  if (/^[0-9a-f]{64}$/.test(path)) throw invalid(text, '64 hex digits are an id and no name');
}

function invalid(text: string, condition: string, hint?: string): UserError {
  return new UserError('IMAGE_REFERENCE_INVALID', `Cannot understand image "${text}": ${condition}`, {
    hint,
  });
}
