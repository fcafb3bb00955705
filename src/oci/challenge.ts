/** What a `WWW-Authenticate` header asks for. */
export type Challenge =
  | { scheme: 'basic' }
  | { scheme: 'bearer'; realm: string; service: string | undefined; scope: string | undefined };

const PARAMETER = /([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi;
const SCHEME = /(?:^|,\s*)(basic|bearer)(?=\s|$)/gi;

/** The strongest challenge of a header that a registry may have sent; undefined when it holds none we know. */
export function parseChallenge(header: string): Challenge | undefined {
  // Quoted text may contain anything that looks like a scheme.
  const schemes = [...maskQuoted(header).matchAll(SCHEME)];
  const bearer = schemes.find((match) => match[1]?.toLowerCase() === 'bearer');
  if (bearer) {
    const next = schemes.find(({ index }) => index > bearer.index);
    const parameters = parseParameters(header.slice(bearer.index, next?.index));
    const realm = parameters.get('realm');
    if (realm === undefined) return undefined;
    return { scheme: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') };
  }
  return schemes.length > 0 ? { scheme: 'basic' } : undefined;
}

function maskQuoted(header: string): string {
  return header.replaceAll(/"(?:[^"\\]|\\.)*"/g, (quoted) => '_'.repeat(quoted.length));
}

function parseParameters(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of text.matchAll(PARAMETER)) {
    found.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return found;
}
