import type { Environment } from '#base/environment.ts';
import { UserError } from '#contract/errors.ts';

/** How servers that are not on this machine are reached. */
export interface Proxy {
  /** For encrypted connections, which are led through it: `http://proxy.example:3128`. */
  url: string;
  /** Hosts that are reached without it, as `NO_PROXY` names them. */
  bypass: string;
}

/** This machine is never behind a proxy. */
const OWN_HOSTS = 'localhost,127.0.0.1,[::1],::1';

/** The proxy that an environment asks for, the lower-case name first as everywhere. */
export function proxyOf(environment: Environment): Proxy | undefined {
  const read = (name: string) => environment[name] || environment[name.toUpperCase()] || '';
  const url = read('https_proxy');
  if (url === '') return undefined;
  return { url, bypass: [OWN_HOSTS, read('no_proxy')].filter((part) => part !== '').join(',') };
}

/**
 * Its URL, with the scheme that everybody leaves out. What Node does not understand it would go around, silently.
 *
 * @throws UserError CONFIG_VALUE_INVALID
 */
export function usableUrl({ url }: Proxy): string {
  const whole = url.includes('://') ? url : `http://${url}`;
  const parsed = URL.parse(whole);
  if (parsed && ['http:', 'https:'].includes(parsed.protocol)) return whole;
  // Without the URL itself, which may hold a password.
  throw new UserError('CONFIG_VALUE_INVALID', 'Cannot use the proxy of HTTPS_PROXY: it is no http:// URL', {
    hint: 'Set HTTPS_PROXY to http://HOST:PORT, or unset it, and restart the daemon',
  });
}
