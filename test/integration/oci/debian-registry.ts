import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findProgram } from '#host/find-program.ts';
import { runCommand } from '#host/run-command.ts';
import { writeLayout, type TinyImage } from './tiny-image.ts';

const PROGRAMS = ['docker-registry', 'skopeo', 'openssl'];
const found = await Promise.all(PROGRAMS.map((name) => findProgram(name, process.env['PATH'] ?? '')));
const missing = PROGRAMS.filter((_, index) => found[index] === undefined);
/** For tests that need the real thing. */
export const skip = missing.length > 0 && `needs ${missing.join(', ')}: apt-get install ${missing.join(' ')}`;

const START_TIMEOUT_MS = 20_000;

export interface RegistryOptions {
  tls?: { certificate: string; key: string };
  /** Of the file that names who may do what, as htpasswd(1) writes it with bcrypt. */
  htpasswd?: string;
  token?: { realm: string; service: string; issuer: string; certificate: string };
}

/** Runs what is given to it in the end: a test, or a bench. */
interface Scope {
  after: (cleanUp: () => Promise<void>) => void;
}

/** Debian's docker-registry on a port of the loopback. */
export async function startRegistry(t: Scope, options: RegistryOptions = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.json');
  await mkdir(join(folder, 'storage'));
  // JSON is YAML too.
  await writeFile(config, JSON.stringify(configOf(join(folder, 'storage'), options)));
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'], env: {} });
  t.after(async () => {
    if (child.exitCode !== null || !child.kill('SIGKILL')) return;
    await once(child, 'exit');
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  const seen: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    seen.push(line);
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    clearTimeout(timer);
    child.stderr.resume();
    return `127.0.0.1:${port}`;
  }
  throw new Error(`docker-registry does not start:\n${seen.join('\n')}`);
}

function configOf(storage: string, { tls, token, htpasswd }: RegistryOptions) {
  const auth = {
    ...(token && { token: { ...token, certificate: undefined, rootcertbundle: token.certificate } }),
    ...(htpasswd !== undefined && { htpasswd: { realm: 'a test', path: htpasswd } }),
  };
  return {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: '127.0.0.1:0', secret: 'of-a-test', ...(tls ? { tls } : {}) },
    ...(Object.keys(auth).length > 0 && { auth }),
  };
}

export interface PushOptions {
  /** Of the manifest. */
  format?: 'oci' | 'v2s2';
  credentials?: string;
}

/** Lets skopeo put images into a registry, an index where they are several. */
export async function push(
  images: readonly TinyImage[],
  target: string,
  { format, credentials }: PushOptions = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'layout-'));
  try {
    await writeLayout(folder, images);
    const args = ['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false', '--preserve-digests'];
    if (images.length > 1) args.push('--all');
    if (format) args.splice(args.indexOf('--preserve-digests'), 1, '--format', format);
    if (credentials !== undefined) args.push('--dest-creds', credentials);
    await runCommand('skopeo', [...args, `oci:${folder}:latest`, `docker://${target}`], {
      timeoutMs: 120_000,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
