/** Whether a URL's host name is this machine itself; only there is plain HTTP accepted. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Encrypted, or plain HTTP on this machine where the user asked for that. */
export function isSafeUrl(url: URL, { allowPlainLoopback }: { allowPlainLoopback: boolean }): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && allowPlainLoopback && isLoopback(url.hostname);
}
