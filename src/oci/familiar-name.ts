import { DEFAULT_NAMESPACE, DEFAULT_REGISTRY, DEFAULT_TAG, isHost, parseIfReference } from './reference.ts';

/**
 * The shortest spelling of a reference, as Docker shows it: `docker.io/library/alpine:latest` is `alpine`. What is no reference stays as
 * it is.
 */
export function familiarName(text: string): string {
  const reference = parseIfReference(text);
  if (!reference) return text;
  const { registry, repository, tag, digest } = reference;
  const isDefaultTag = tag === undefined || (tag === DEFAULT_TAG && digest === undefined);
  return [
    shortPlace(registry, repository),
    isDefaultTag ? '' : `:${tag}`,
    digest === undefined ? '' : `@${digest}`,
  ].join('');
}

function shortPlace(registry: string, repository: string): string {
  const full = `${registry}/${repository}`;
  if (registry !== DEFAULT_REGISTRY) return full;
  const [namespace = '', ...path] = repository.split('/');
  if (namespace === DEFAULT_NAMESPACE && path.length === 1) return path.join('/');
  return isHost(namespace) ? full : repository;
}
