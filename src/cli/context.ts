import type { CommandContext } from '@stricli/core';
import { type Abortable, withTimeout } from '#base/abort.ts';
import { isUserError } from '#contract/errors.ts';
import type { Environment } from '#base/environment.ts';
import type { Layout } from '#contract/layout.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { ExecClient } from '#sdk/exec-client.ts';
import { ensureDaemon, type StartDaemon } from './ensure-daemon.ts';
import type { LocalMachine } from './local-machine.ts';
import { Output } from './output/output.ts';

/** The streams of this process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What the entry point gives: everything outside that the commands may touch. */
export interface CliHost {
  readonly env: Environment;
  readonly layout: Layout;
  /** A getter, because Node opens a stream when it is first asked for. */
  readonly terminal: Terminal;
  readonly startDaemon: StartDaemon;
  readonly openMachine: () => Promise<LocalMachine>;
}

const COMPLETION_MS = 1000;

/** What a command has to work with; `this` in its function. */
export class CliContext implements CommandContext {
  readonly process: Terminal;
  readonly output: Output;
  readonly env: Environment;
  readonly layout: Layout;
  /** The words behind `--`, as they are. Undefined without a `--`. */
  readonly command: readonly string[] | undefined;
  /** Of this process, once the command has ended without an error. */
  exitStatus = 0;
  readonly openMachine: CliHost['openMachine'];
  readonly #startDaemon: StartDaemon;

  constructor(host: CliHost, command: readonly string[] | undefined) {
    this.process = host.terminal;
    this.output = new Output(host.terminal, host.env);
    this.env = host.env;
    this.layout = host.layout;
    this.command = command;
    this.openMachine = host.openMachine;
    this.#startDaemon = host.startDaemon;
  }

  /** To run a command in a guest: loads nothing of the rest of the client. Starts the daemon as {@link connect} does. */
  async connectForExec(): Promise<ExecClient> {
    const { ExecClient } = await import('#sdk/exec-client.ts');
    return new ExecClient(this.#daemon());
  }

  /** The first request starts the daemon when it does not run. */
  async connect(): Promise<BangerClient> {
    const { BangerClient } = await import('#sdk/client.ts');
    return BangerClient.connect({ lazy: true, ...this.#daemon() });
  }

  /** Never starts the daemon: undefined when it does not run. */
  async connectIfRunning(signal?: AbortSignal): Promise<BangerClient | undefined> {
    const { BangerClient } = await import('#sdk/client.ts');
    try {
      return await BangerClient.connect({
        socketPath: this.layout.socketPath,
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (isUserError(error, 'DAEMON_UNREACHABLE')) return undefined;
      throw error;
    }
  }

  /** For completion: names of the VMs, none when the daemon does not run or cannot say. */
  async vmNames(): Promise<string[]> {
    const signal = withTimeout(COMPLETION_MS);
    try {
      using client = await this.connectIfRunning(signal);
      return (await client?.vms.list({ signal }))?.map((vm) => vm.name) ?? [];
    } catch {
      return []; // a completion has nobody to tell
    }
  }

  #daemon() {
    return {
      socketPath: this.layout.socketPath,
      startDaemon: (options: Abortable) => ensureDaemon(this.#startDaemon, this.layout.logPath, options),
    };
  }
}
