/**
 * What `resolvectl dns` and `resolvectl domain` print: a line for each scope, `Global: ~vm` or
 * `Link 2 (eth0): 10.0.0.1 fe80::1`, with nothing after the colon where there is nothing.
 */
export function parseResolvedScopes(output: string): Map<string, string[]> {
  const scopes = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, scope, rest = ''] = /^\s*([^:]+):(?:\s+(.*))?$/.exec(line) ?? [];
    if (scope === undefined) continue;
    const words = rest.split(/\s+/).filter((word) => word !== '');
    scopes.set(scope, [...(scopes.get(scope) ?? []), ...words]);
  }
  return scopes;
}
