import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '#host/run-command.ts';

export interface Certificates {
  /** PEM, to be trusted. */
  authority: string;
  certificate: string;
  key: string;
}

/** An authority of its own, and a certificate for 127.0.0.1 and registry.test from it; the last two are files. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => runCommand('openssl', args, { cwd: folder, timeoutMs: 60_000 });
  const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch'];
  await openssl(
    ...newKey,
    '-x509',
    '-days',
    '2',
    '-subj',
    '/CN=test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  await openssl(...newKey, '-subj', '/CN=registry', '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(path('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.test\n');
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  await openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.pem', ...signing);
  const authority = await readFile(path('ca.pem'), 'utf8');
  return { authority, certificate: path('server.pem'), key: path('server.key') };
}
