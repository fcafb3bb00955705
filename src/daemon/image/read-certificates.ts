import { UserError } from '#contract/errors.ts';
import { readFileIfThere } from '#host/files.ts';

/** What the files of authorities hold, in PEM. @throws UserError `CONFIG_VALUE_INVALID` */
export function readCertificates(paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map(readCertificate));
}

async function readCertificate(path: string): Promise<string> {
  const text = await readFileIfThere(path);
  if (text !== undefined) return text;
  throw new UserError(
    'CONFIG_VALUE_INVALID',
    `Cannot trust the certificates in "${path}": there is no such file`,
    { hint: 'banger config get registry_certificates' },
  );
}
