import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pollUntil } from '#base/backoff.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { isAlive, findProcess, signalProcess, waitForProcessExit, type ProcessIdentity } from '#host/proc.ts';
import { BangerClient } from 'banger'; // as it is installed: the daemon serves only its own build
import { assertNoLeaks, snapshotHost, type HostSnapshot } from './leak-check.ts';
import { runProcess, type ProcessOptions, type ProcessResult } from './run-process.ts';

export const REPOSITORY = join(import.meta.dirname, '../..');
/** What a user starts. */
export const LAUNCHER = join(REPOSITORY, 'banger');
export const CLI_PATH = join(REPOSITORY, 'dist/banger.cjs');

export interface TestHomeOptions {
  /** Environment besides HOME and the XDG folders. */
  env?: Record<string, string>;
  /** Belongs to this user, whose processes the CLI's are then. */
  owner?: { uid: number; gid: number };
  /** Where banger is installed; default this repository. */
  installation?: { node: string; cli: string };
}

/**
 * A user's home of its own for one suite: state, cache and runtime in one temporary folder.
 * Leaving it stops the daemon, removes the VMs and fails when anything is left.
 */
export class TestHome implements AsyncDisposable {
  readonly root: string;
  readonly layout: Layout;
  readonly env: NodeJS.ProcessEnv;
  readonly #before: HostSnapshot;
  readonly #owner: TestHomeOptions['owner'];
  readonly #installation: { node: string; cli: string };

  private constructor(root: string, options: TestHomeOptions) {
    this.root = root;
    this.#before = snapshotHost({ folder: join(root, 'run/banger/vm'), marker: root });
    this.#owner = options.owner;
    this.#installation = options.installation ?? { node: process.execPath, cli: CLI_PATH };
    this.env = {
      PATH: process.env['PATH'],
      HOME: root,
      XDG_CONFIG_HOME: join(root, 'config'),
      XDG_STATE_HOME: join(root, 'state'),
      XDG_CACHE_HOME: join(root, 'cache'),
      XDG_RUNTIME_DIR: join(root, 'run'),
      NO_COLOR: '1',
      ...options.env,
    };
    this.layout = resolveLayout(this.env, process.getuid?.() ?? 0, root);
  }

  static async create(options: TestHomeOptions = {}): Promise<TestHome> {
    const root = await mkdtemp(join(tmpdir(), 'bgr-'));
    const home = new TestHome(root, options);
    for (const name of ['config', 'state', 'cache', 'run']) await mkdir(join(root, name), { mode: 0o700 });
    await mkdir(home.layout.configDir, { mode: 0o700 });
    // The one of the user is for the user's daemon.
    await writeFile(join(home.layout.configDir, 'config.toml'), 'dns_port = 0\n');
    if (options.owner) {
      for (const name of [
        '',
        'config',
        'config/banger',
        'config/banger/config.toml',
        'state',
        'cache',
        'run',
      ]) {
        await chown(join(root, name), options.owner.uid, options.owner.gid);
      }
      await chmod(root, 0o700);
    }
    return home;
  }

  /** Runs the CLI as it is installed: the bundle, in this home. */
  cli(args: readonly string[], options: Omit<ProcessOptions, 'uid' | 'gid'> = {}): Promise<ProcessResult> {
    return runProcess(this.#installation.node, [this.#installation.cli, ...args], {
      cwd: this.root,
      ...options,
      ...this.#owner,
      env: { ...this.env, ...options.env },
    });
  }

  /** Runs the CLI and fails with its stderr unless it ends with 0. */
  async succeed(
    args: readonly string[],
    options: Omit<ProcessOptions, 'uid' | 'gid'> = {},
  ): Promise<ProcessResult> {
    const result = await this.cli(args, options);
    if (result.status === 0) return result;
    throw new Error(`banger ${args.join(' ')} ended with ${result.status}: ${result.stderr}`);
  }

  /** A client of this home's daemon, which must run. */
  client(): Promise<BangerClient> {
    return BangerClient.connect({ socketPath: this.layout.socketPath });
  }

  /** The daemon that answers on this home's socket. */
  async daemon(): Promise<ProcessIdentity> {
    using client = await this.client();
    const { pid } = await client.host();
    const stat = await findProcess(pid);
    if (!stat) throw new Error(`the daemon's pid ${pid} is not there`);
    return { pid, startTicks: stat.startTicks };
  }

  async killDaemon(): Promise<void> {
    const daemon = await this.daemon();
    await signalProcess(daemon, 'SIGKILL');
    await waitForProcessExit(daemon, { signal: AbortSignal.timeout(10_000) });
  }

  /** Removes all VMs through the daemon, stops it, and waits until it is gone. */
  async shutDown(): Promise<void> {
    using client = await this.client().catch(() => undefined);
    if (!client) return;
    for (const vm of await client.vms.list()) {
      await (await client.vms.delete(vm.id, { force: true })).result();
    }
    await this.stopDaemon();
  }

  /** Resolves when no daemon of this home runs; VMs go on. */
  async stopDaemon(): Promise<void> {
    using client = await this.client().catch(() => undefined);
    if (!client) return;
    const daemon = await this.daemon();
    await client.stopDaemon();
    await pollUntil(async () => ((await isAlive(daemon)) ? undefined : true), {
      signal: AbortSignal.timeout(20_000),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.shutDown();
      await assertNoLeaks(this.#before);
    } finally {
      await rm(this.root, { recursive: true, force: true });
    }
  }
}
