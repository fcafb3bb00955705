import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Extras, SetupContext } from './context.ts';
import { hasProgram } from './has-program.ts';
import { runQuietly, SetupError } from './run-quietly.ts';

interface DebianPackage {
  name: string;
  /** A program, or the absolute path of a file, that the package provides. */
  provides: string;
}

const QEMU: Record<string, DebianPackage> = {
  x64: { name: 'qemu-system-x86', provides: 'qemu-system-x86_64' },
  arm64: { name: 'qemu-system-arm', provides: 'qemu-system-aarch64' },
};

const PACKAGES: readonly DebianPackage[] = [
  { name: 'ca-certificates', provides: '/etc/ssl/certs/ca-certificates.crt' },
  { name: 'e2fsprogs', provides: 'mke2fs' },
  { name: 'fakeroot', provides: 'fakeroot' },
  { name: 'gcc', provides: 'gcc' },
  { name: 'iproute2', provides: 'ip' },
  { name: 'kmod', provides: 'modinfo' },
  { name: 'libc6-dev', provides: '/usr/include/stdio.h' },
  { name: 'make', provides: 'make' },
  { name: 'mmdebstrap', provides: 'mmdebstrap' },
  { name: 'musl-tools', provides: 'musl-gcc' },
  { name: 'openssh-client', provides: 'ssh' },
  { name: 'passt', provides: 'passt' },
  { name: 'qemu-utils', provides: 'qemu-img' },
  { name: 'uidmap', provides: 'newuidmap' },
  { name: 'xz-utils', provides: 'xz' },
];

/** What images are made with that tests and benches compare ours to. */
const IMAGE_TOOLS: readonly DebianPackage[] = [
  { name: 'busybox-static', provides: 'busybox' },
  { name: 'docker-registry', provides: 'docker-registry' },
  { name: 'skopeo', provides: 'skopeo' },
  { name: 'umoci', provides: 'umoci' },
];

/** Besides what running banger needs. */
const EXTRAS: Record<Extras, readonly DebianPackage[]> = {
  nothing: [],
  bench: [...IMAGE_TOOLS, { name: 'socat', provides: 'socat' }],
  tests: [
    ...IMAGE_TOOLS,
    { name: 'bind9-dnsutils', provides: 'dig' },
    { name: 'buildah', provides: 'buildah' },
    { name: 'cpio', provides: 'cpio' },
    { name: 'lz4', provides: 'lz4' },
    { name: 'openssl', provides: 'openssl' },
    { name: 'python3', provides: '/usr/bin/python3' },
    { name: 'zstd', provides: 'zstd' },
  ],
};

const LOCK_ATTEMPTS = 60;

/** Installs the Debian packages whose programs are missing, or says how to. */
export async function ensureDebianPackages(context: SetupContext): Promise<void> {
  const missing = missingPackages(context);
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (!hasProgram('apt-get')) {
    throw new SetupError(`Cannot set up: these programs are missing, and this is not Debian: ${list}`);
  }
  if (!canBecomeRoot() || (!context.assumeYes && !(await isAgreed(context, list)))) {
    const how = canBecomeRoot() ? 'with' : 'as root with';
    throw new SetupError(
      `Cannot set up: Debian packages are missing. Install them ${how}:\n  ${installCommand(missing)}`,
    );
  }
  await context.stages.run(`Debian packages: ${list}`, () => install(context, missing));
  const still = missingPackages(context);
  if (still.length > 0) {
    throw new SetupError(`Cannot set up: apt-get succeeded, but these are still missing: ${still.join(' ')}`);
  }
}

function missingPackages({ extras }: SetupContext): string[] {
  const qemu = QEMU[process.arch];
  return [...PACKAGES, ...(qemu ? [qemu] : []), ...EXTRAS[extras]]
    .filter(({ provides }) => !hasProgram(provides))
    .map(({ name }) => name);
}

const isRoot = () => process.getuid?.() === 0;
const hasSudo = () => hasProgram('sudo');
const canBecomeRoot = () => isRoot() || hasSudo();

function installCommand(names: readonly string[]): string {
  const sudo = !isRoot() && hasSudo() ? 'sudo ' : '';
  return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

async function isAgreed(context: SetupContext, list: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  context.stages.pause();
  const answer = await ask(`Install the Debian packages ${list} with sudo apt-get? [Y/n] `);
  return answer !== undefined && /^(y|yes|)$/i.test(answer.trim());
}

/** Undefined after Ctrl-C, Ctrl-D, or when the terminal goes away. */
async function ask(question: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  // Node rejects at a key that closes it, or never answers; both are no answer.
  const answer = await Promise.race([terminal.question(question).catch(() => undefined), closed]);
  if (answer === undefined) process.stderr.write('\n');
  terminal.close();
  return answer;
}

async function install(context: SetupContext, names: readonly string[]): Promise<void> {
  const apt = [...(isRoot() ? [] : ['sudo']), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q'];
  // A broken third-party source fails the update, and does not keep Debian's own packages from installing.
  const update = await runUnlocked(context, [...apt, 'update']);
  const options = [
    '-y',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=600',
    '-o',
    'Acquire::Retries=3',
  ];
  const result = await runUnlocked(context, [...apt, ...options, 'install', ...names]);
  if (result.status === 0) return;
  const tails = [
    result.tail,
    ...(update.status === 0 ? [] : ['apt-get update had failed too:', update.tail]),
  ];
  throw new SetupError(
    `Cannot install the Debian packages. Try:\n  ${installCommand(names)}\n${tails.join('\n')}`,
  );
}

/** Waits for another apt-get to finish: `update` has no option for that. */
async function runUnlocked(context: SetupContext, command: readonly string[]) {
  for (let attempt = 1; ; attempt += 1) {
    const result = await runQuietly(context, command);
    const isLocked = result.status !== 0 && /Could not get lock|Unable to lock/.test(result.tail);
    if (!isLocked || attempt === LOCK_ATTEMPTS) return result;
    context.stages.detail('waiting for another apt-get');
    await sleep(2000);
  }
}
