/** A line of `apt-get --print-uris`. */
export interface PackageFile {
  fileName: string;
  bytes: number;
  sha256: string;
}

/** The package's file, or undefined when apt knows no SHA-256 of it (an archive nobody should trust). */
export function parsePrintUris(output: string): PackageFile | undefined {
  const match = /^'[^']*' (\S+\.deb) (\d+) SHA256:([0-9a-f]{64})$/m.exec(output);
  if (!match) return undefined;
  const [, name = '', bytes, sha256 = ''] = match;
  // apt writes the colon of an epoch as %3a; nothing else may turn the name into a path.
  return { fileName: name.replaceAll('/', '_'), bytes: Number(bytes), sha256 };
}

/** One field of the first stanza of `apt-cache show`. */
export function parseField(output: string, field: string): string | undefined {
  const [stanza = ''] = output.split('\n\n');
  const line = stanza.split('\n').find((candidate) => candidate.startsWith(`${field}: `));
  return line?.slice(field.length + 2).trim();
}

/** The concrete kernel that a metapackage such as `linux-image-cloud-amd64` depends on. */
export function parseKernelDependency(depends: string): string | undefined {
  const names = depends.split(',').map((alternative) => alternative.trim().split(/[\s(|:]/)[0] ?? '');
  return names.find((name) => /^linux-image-\d[a-z0-9.+~-]*$/.test(name) && !name.endsWith('-unsigned'));
}

/** `dlstatus:1:39.87:Retrieving file 1 of 1` → 39.87 */
export function parseDownloadPercent(line: string): number | undefined {
  const match = /^dlstatus:\d+:(\d+(?:\.\d+)?):/.exec(line);
  return match ? Number(match[1]) : undefined;
}
