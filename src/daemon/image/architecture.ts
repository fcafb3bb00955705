export interface Architecture {
  /** As `uname -m` says. */
  name: 'x86_64' | 'aarch64';
  /** As Debian says. */
  debian: 'amd64' | 'arm64';
}

const ARCHITECTURES: Record<string, Architecture> = {
  x64: { name: 'x86_64', debian: 'amd64' },
  arm64: { name: 'aarch64', debian: 'arm64' },
};

/** The architecture of this host, and so of its guests. */
export function hostArchitecture(nodeName: string = process.arch): Architecture {
  const found = ARCHITECTURES[nodeName];
  if (!found) throw new Error(`no guest architecture is known for "${nodeName}"`);
  return found;
}
