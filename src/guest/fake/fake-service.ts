import { isDeepStrictEqual } from 'node:util';
import {
  decodeDefineServiceOpen,
  DEFAULT_STOP_SIGNAL,
  encodeServiceStatus,
} from '#contract/guest/service-messages.ts';
import type { ServiceDefinition } from '#contract/guest/service-messages.ts';
import type { ServiceState, ServiceStatus } from '#contract/owner/service.ts';
import { FakeFailure } from './fake-channel.ts';
import type { FakeChannel } from './fake-channel.ts';
import { FakeCommand } from './fake-command.ts';
import type { FakeProgram } from './fake-program.ts';

/** As the real agent. */
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 10_000;
const CALM_MS = 10_000;

/** What a service needs of its guest. */
export interface FakeServicePlace {
  /** @throws FakeFailure */
  findProgram(name: string): FakeProgram;
  onConsole(bytes: Uint8Array | string): void;
}

/** The supervised service of a fake guest; it outlives sessions. */
export class FakeService {
  readonly #place: FakeServicePlace;
  #definition: ServiceDefinition | undefined;
  #command: FakeCommand | undefined;
  #running: Promise<void> = Promise.resolve();
  #status: ServiceStatus = { state: 'starting', starts: 0 };
  #backoffMs = FIRST_BACKOFF_MS;
  #timer: NodeJS.Timeout | undefined;
  #startWhenEnded = false;
  #lastId = 0;

  constructor(place: FakeServicePlace) {
    this.#place = place;
  }

  /** What was defined last. */
  get definition(): ServiceDefinition | undefined {
    return this.#definition;
  }

  get status(): ServiceStatus | undefined {
    return this.#definition && this.#status;
  }

  /** @throws FakeFailure `EXISTS` */
  define(channel: FakeChannel, open: Uint8Array): void {
    const { definition, replace } = decodeDefineServiceOpen(open);
    const isSame = isDeepStrictEqual(definition, this.#definition);
    if (!isSame && this.#definition && !replace) {
      throw new FakeFailure('EXISTS', 'another service is defined');
    }
    if (!isSame) {
      this.#ask();
      this.#definition = definition;
      this.#status = { state: this.#status.state, starts: 0 };
      this.#begin();
    }
    channel.result(encodeServiceStatus(this.#status));
  }

  report(channel: FakeChannel): void {
    channel.result(encodeServiceStatus(this.status));
  }

  /** @throws FakeFailure `NOT_FOUND` */
  start(channel: FakeChannel): void {
    this.#requireDefined();
    if (this.#status.state !== 'running') this.#begin();
    channel.result(encodeServiceStatus(this.#status));
  }

  /** @throws FakeFailure `NOT_FOUND` */
  async stop(channel: FakeChannel): Promise<void> {
    this.#requireDefined();
    await this.end();
    channel.result(encodeServiceStatus(this.#status));
  }

  /** Ends it, as the end of the machine does. */
  async end(): Promise<void> {
    this.#startWhenEnded = false;
    this.#ask();
    await this.#running;
  }

  #requireDefined(): void {
    if (!this.#definition) throw new FakeFailure('NOT_FOUND', 'no service is defined');
  }

  /** Asks it to end, and sees to it that it does not begin again. */
  #ask(): void {
    clearTimeout(this.#timer);
    if (this.#status.state === 'backoff') this.#become('stopped');
    if (this.#status.state !== 'running') return;
    this.#become('stopping');
    this.#command?.kill(this.#definition?.stopSignal ?? DEFAULT_STOP_SIGNAL);
  }

  /** From the beginning, as soon as the one before has ended. */
  #begin(): void {
    clearTimeout(this.#timer);
    this.#startWhenEnded = this.#status.state === 'stopping';
    if (this.#startWhenEnded) return;
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#execute();
  }

  #execute(): void {
    const definition = this.#definition as ServiceDefinition;
    try {
      const program = this.#place.findProgram(definition.argv[0] ?? '');
      const { argv, env, cwd, user } = definition;
      const request = {
        argv,
        env,
        ...(cwd === undefined ? {} : { cwd }),
        ...(user === undefined ? {} : { user }),
      };
      this.#command = new FakeCommand((this.#lastId += 1), request);
      this.#running = this.#supervise(this.#command, this.#onConsole(program));
    } catch (error) {
      if (!(error instanceof FakeFailure)) throw error;
      this.#become('failed', { failure: { code: error.code, message: error.message } });
    }
  }

  /** Its output goes to the console. */
  #onConsole(program: FakeProgram): FakeProgram {
    const write = async (bytes: Uint8Array | string) => this.#place.onConsole(bytes);
    return (context) => program({ ...context, writeOut: write, writeError: write });
  }

  async #supervise(command: FakeCommand, program: FakeProgram): Promise<void> {
    const startedAt = new Date();
    const definition = this.#definition;
    const starts = this.#status.starts + 1;
    this.#become('running', { starts, pid: command.pid, startedAt: startedAt.toISOString() });
    await command.run(program);
    const wasAsked = this.#status.state === 'stopping';
    const { pid: _pid, ...rest } = this.#status;
    const isReplaced = definition !== this.#definition;
    const ending = { endedAt: new Date().toISOString(), lastExit: command.result ?? {} };
    this.#status = isReplaced ? rest : { ...rest, ...ending };
    if (wasAsked) this.#stopped();
    else this.#ended(Date.now() - startedAt.getTime());
  }

  #stopped(): void {
    this.#become('stopped');
    if (this.#startWhenEnded) this.#begin();
  }

  #ended(ranMs: number): void {
    const policy = this.#definition?.restart;
    const isRestarted =
      policy === 'always' || (policy === 'on-failure' && this.#status.lastExit?.exitCode !== 0);
    if (!isRestarted) {
      this.#become('exited');
      return;
    }
    if (ranMs >= CALM_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.#become('backoff', { restartInMs: this.#backoffMs });
    this.#timer = setTimeout(() => this.#execute(), this.#backoffMs).unref();
    this.#backoffMs = Math.min(2 * this.#backoffMs, LAST_BACKOFF_MS);
  }

  #become(state: ServiceState, more: Partial<ServiceStatus> = {}): void {
    const { restartInMs: _restartInMs, failure: _failure, ...rest } = this.#status;
    this.#status = { ...rest, ...more, state };
  }
}
