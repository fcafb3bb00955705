import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OWN_BUNDLES } from '../build/own-bundles.ts';
import type { SetupContext } from './context.ts';
import { runOrThrow, SetupError } from './run-quietly.ts';
import { hashSources } from './source-hash.ts';

interface Part {
  name: 'agent' | 'native' | 'bundle';
  title: string;
  sources: readonly string[];
  outputs: readonly string[];
  build(context: SetupContext): Promise<void>;
}

const PARTS: readonly Part[] = [
  {
    name: 'agent',
    title: 'guest agent',
    sources: ['agent/Makefile', 'agent/**/*.{c,h}'],
    outputs: ['agent/build/banger-agent'],
    // -B: what an interrupted make left behind looks finished to the next one
    build: (context) => runOrThrow(context, 'build the guest agent', ['make', '-B', '-C', 'agent']),
  },
  {
    name: 'native',
    title: 'native helper',
    sources: ['native/Makefile', 'native/**/*.{c,h}'],
    outputs: ['native/build/log-keeper', 'native/build/net-guard', 'native/build/tsc-khz'],
    build: (context) => runOrThrow(context, 'build the native helper', ['make', '-B', '-C', 'native']),
  },
  {
    name: 'bundle',
    title: 'bundle',
    sources: [
      'src/**/*.{ts,sql,json,html,css}',
      'package.json',
      'package-lock.json',
      'scripts/build.ts',
      'scripts/build/*.ts',
    ],
    outputs: [
      ...['dist/banger.cjs', 'dist/cli.cjs', 'dist/bangerd.js', 'dist/sdk.js'],
      ...OWN_BUNDLES.map((command) => `dist/cli-${command}.cjs`),
    ],
    build: async ({ root }) => {
      const { buildBundle } = await import('../build.ts');
      await buildBundle(root, headCommit(root));
    },
  },
];

/** What was built last, from what: part → hash of its sources; commit → the one stamped on the bundle. */
type Built = Partial<Record<Part['name'] | 'commit', string>>;

/** Builds the agent, the native helper and the bundle where their sources changed, then stamps dist/ready. */
export async function buildParts(context: SetupContext): Promise<void> {
  const { root } = context;
  // Whatever changes from here on must look newer than the stamp.
  const startedAt = new Date();
  const built = readBuilt(root);
  const commit = headCommit(root);
  for (const part of PARTS) {
    if (!existsSync(join(root, part.sources[0]?.split('/')[0] ?? ''))) continue;
    const hash = hashSources(root, part.sources);
    const isBuilt = built[part.name] === hash && part.outputs.every((path) => existsSync(join(root, path)));
    // Another commit with the same sources is worth a new stamp, but not a failure.
    if (isBuilt && (part.name !== 'bundle' || built.commit === commit || context.readOnly)) continue;
    if (context.readOnly)
      throw new SetupError(`${root} changed since it was set up: its owner has to run banger once`);
    await context.stages.run(part.title, () => part.build(context));
    built[part.name] = hash;
    if (part.name === 'bundle') built.commit = commit;
    writeBuilt(root, built);
  }
  if (!context.readOnly) stampReady(root, startedAt);
}

function stampReady(root: string, at: Date): void {
  const temporary = join(root, `dist/ready.${process.pid}`);
  writeFileSync(temporary, '');
  utimesSync(temporary, at, at);
  renameSync(temporary, join(root, 'dist/ready'));
}

function readBuilt(root: string): Built {
  try {
    return JSON.parse(readFileSync(join(root, 'dist/built.json'), 'utf8')) as Built;
  } catch {
    return {};
  }
}

function writeBuilt(root: string, built: Built): void {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const temporary = join(root, `dist/built.json.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(built, undefined, 2)}\n`);
  renameSync(temporary, join(root, 'dist/built.json'));
}

function headCommit(root: string): string {
  // safe.directory: the clone may belong to another user, and reading a commit id runs nothing of it
  const args = ['-c', 'safe.directory=*', '-C', root, 'rev-parse', '--short=12', 'HEAD'];
  // the ceiling: an unpacked archive inside somebody else's repository has no commit of its own
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(root) };
  const { status, stdout } = spawnSync('git', args, {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout.trim() : 'unknown';
}
