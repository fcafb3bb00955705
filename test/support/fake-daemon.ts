import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcessesByCommandLine, signalProcess, type ProcessIdentity } from '#host/proc.ts';
import { pollUntil } from '#base/backoff.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { startDaemon } from '#host/start-daemon.ts';
import type { FakeFault } from '#hypervisor/fake/fake-hypervisor.ts';
import { BangerClient } from '#sdk/index.ts';
import { bundleFixtures } from './fixture-bundle.ts';
import { assertNoLeaks, snapshotHost, type HostSnapshot } from './leak-check.ts';

const ENTRY = join(await bundleFixtures(), 'fake-bangerd.js');

export interface FakeDaemonOptions {
  fault?: FakeFault;
  networkFailure?: string;
  /** Step at which the daemon kills itself: `create-disk:before`. */
  crashAt?: string;
  stepsLog?: string;
  env?: Record<string, string>;
}

/** A state folder whose daemon is real and whose machines are pretended; the daemon can be killed and started again. */
export class FakeDaemonHome implements AsyncDisposable {
  readonly root: string;
  readonly layout: Layout;
  readonly #env: NodeJS.ProcessEnv;
  readonly #before: HostSnapshot;

  private constructor(root: string) {
    this.root = root;
    this.#env = {
      PATH: process.env['PATH'],
      HOME: root,
      XDG_STATE_HOME: join(root, 'state'),
      XDG_RUNTIME_DIR: join(root, 'run'),
    };
    this.layout = resolveLayout(this.#env, process.getuid?.() ?? 0, root);
    this.#before = snapshotHost({ folder: join(root, 'run/banger/vm'), marker: root });
  }

  static async create(): Promise<FakeDaemonHome> {
    const root = await mkdtemp(join(tmpdir(), 'bgr-'));
    await mkdir(join(root, 'run'), { mode: 0o700 });
    const home = new FakeDaemonHome(root);
    await home.configure('');
    return home;
  }

  /** For programs that shall find this home's daemon. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** Writes `config.toml`: what is given, and a DNS port that no other home's daemon wants. */
  async configure(config: string): Promise<void> {
    await mkdir(this.layout.configDir, { recursive: true });
    const dnsPort = /^dns_port/m.test(config) ? '' : 'dns_port = 0\n';
    await writeFile(join(this.layout.configDir, 'config.toml'), `${dnsPort}${config}`);
  }

  /** Starts the daemon and gives a client of it. @throws when the daemon does not start */
  async start(options: FakeDaemonOptions = {}): Promise<BangerClient> {
    const { socketPath, logPath } = this.layout;
    const env = {
      ...this.#env,
      ...options.env,
      ...(options.fault && { FAKE_FAULT: JSON.stringify(options.fault) }),
      ...(options.networkFailure && { FAKE_NETWORK_FAILURE: options.networkFailure }),
      ...(options.crashAt && { FAKE_CRASH_AT: options.crashAt }),
      ...(options.stepsLog && { FAKE_STEPS_LOG: options.stepsLog }),
    };
    const outcome = await startDaemon({ program: process.execPath, entry: ENTRY, socketPath, logPath, env });
    if (!outcome.ready) throw new Error(`the daemon did not start: ${JSON.stringify(outcome)}`);
    return BangerClient.connect({ socketPath });
  }

  /** Resolves when no daemon of this home runs any more. */
  async daemonGone(): Promise<void> {
    await pollUntil(async () => ((await this.daemons()).length === 0 ? true : undefined), {
      signal: AbortSignal.timeout(10_000),
    });
  }

  async killDaemon(): Promise<void> {
    for (const daemon of await this.daemons()) await signalProcess(daemon, 'SIGKILL');
    await this.daemonGone();
  }

  /** Machines that run for this home, whatever any daemon thinks. */
  machines(): Promise<ProcessIdentity[]> {
    return findProcessesByCommandLine((argv) => argv.some((word) => word.startsWith(this.layout.runtimeDir)));
  }

  /** Names in the folder of VM files. */
  async vmFolders(): Promise<string[]> {
    return readdir(this.layout.vmsDir);
  }

  async daemons(): Promise<ProcessIdentity[]> {
    const all = await findProcessesByCommandLine((argv) => argv.includes(ENTRY));
    const own = await Promise.all(
      all.map(async (identity) => ((await this.#isOwn(identity)) ? [identity] : [])),
    );
    return own.flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const client = (await this.daemons()).length > 0 ? await this.#connect() : await this.start();
      for (const { id } of await client.vms.list())
        await (await client.vms.delete(id, { force: true })).result();
      await client.stopDaemon();
      client.close();
      await this.daemonGone();
      await assertNoLeaks(this.#before);
    } finally {
      await rm(this.root, { recursive: true, force: true });
    }
  }

  #connect(): Promise<BangerClient> {
    return BangerClient.connect({ socketPath: this.layout.socketPath });
  }

  /** By its environment: all these daemons have the same command line. */
  async #isOwn({ pid }: ProcessIdentity): Promise<boolean> {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return environment.split('\0').includes(`HOME=${this.root}`);
  }
}
