import { inspect } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAbort, isTimeout } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import type { ProcessIdentity } from '#host/proc.ts';
import type { BangerClient, ErrorCode } from '#sdk/index.ts';
import { errorCode } from './error-code.ts';
import { findLies } from './oracle.ts';
import { Random } from './random.ts';
import { StormVm, type Settled } from './storm-vm.ts';
import { VERBS, type Verb } from './verbs.ts';

/** Where a storm rages. */
export interface StormPlace {
  /** Starts the daemon. */
  start(): Promise<BangerClient>;
  /** With SIGKILL; resolves when it is gone. */
  killDaemon(): Promise<void>;
  /** Resolves when a daemon that was asked to stop is gone. */
  daemonGone(): Promise<void>;
  listMachines(): Promise<{ id: string; process: ProcessIdentity }[]>;
}

export interface StormOptions {
  seed: number;
  vms: number;
  /** How many users there are at the same time. */
  users: number;
  isOver: (done: { operations: number; daemons: number; elapsedMs: number }) => boolean;
  size: { memoryMiB: number; vcpus: number };
  /** How long the daemon lives. */
  lifeMs: { from: number; to: number };
  /** How long an operation may take. */
  boundMs: number;
  moreVerbs?: typeof VERBS;
  print?: (line: string) => void;
}

export interface StormReport {
  operations: number;
  daemons: number;
  /** How often each verb ended how. */
  outcomes: Record<string, number>;
  problems: string[];
}

/** What may be answered to somebody who is not alone. */
const EXPECTED: ReadonlySet<string> = new Set<ErrorCode>([
  'VM_NOT_FOUND',
  'VM_RUNNING',
  'VM_NOT_RUNNING',
  'VM_NAME_TAKEN',
  'OPERATION_CANCELLED',
  'GUEST_LINK_LOST',
  'GUEST_NOT_ANSWERING',
  'MACHINE_DIED',
  'DISK_TOO_SMALL', // another one has made it larger meanwhile
]);
const DAEMON_GONE: ReadonlySet<string> = new Set<ErrorCode>(['DAEMON_UNREACHABLE', 'DAEMON_STOPPING']);
const GRACEFUL = 0.15;

/** Users who do things at random to a few VMs, and a daemon that does not live long. */
export class Storm {
  readonly #place: StormPlace;
  readonly #options: StormOptions;
  readonly #random: Random;
  readonly #vms: StormVm[];
  readonly #verbs: readonly Verb[];
  readonly #names = new Map<Verb, string>();
  readonly #report: StormReport = { operations: 0, daemons: 0, outcomes: {}, problems: [] };
  readonly #beganAt = performance.now();
  #isEnding = false;

  constructor(place: StormPlace, options: StormOptions) {
    this.#place = place;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#vms = Array.from({ length: options.vms }, (_, index) => new StormVm(`storm-${index}`));
    const verbs = [...VERBS, ...(options.moreVerbs ?? [])];
    this.#verbs = verbs.flatMap(([, verb, weight]) => Array.from({ length: weight }, () => verb));
    for (const [name, verb] of verbs) this.#names.set(verb, name);
  }

  async rage(): Promise<StormReport> {
    let client = await this.#place.start();
    while (!this.#isOver() && this.#report.problems.length === 0) {
      const before = await this.#liveOneLife(client);
      client.close();
      client = await this.#place.start();
      this.#report.daemons += 1;
      const { listMachines } = this.#place;
      const lies = await findLies({
        client,
        vms: this.#vms,
        before,
        listMachines: () => listMachines.call(this.#place),
      });
      this.#report.problems.push(...lies);
    }
    await this.#calmDown(client);
    client.close();
    return this.#report;
  }

  #isOver(): boolean {
    const elapsedMs = performance.now() - this.#beganAt;
    const { operations, daemons } = this.#report;
    return this.#options.isOver({ operations, daemons, elapsedMs });
  }

  /** Resolves with what was known of each VM when the daemon ended. */
  async #liveOneLife(client: BangerClient): Promise<ReadonlyMap<StormVm, Settled>> {
    this.#isEnding = false;
    const users = Array.from({ length: this.#options.users }, () => this.#useIt(client));
    const { from, to } = this.#options.lifeMs;
    await sleep(this.#random.between(from, to));
    this.#isEnding = true;
    const before = new Map(this.#vms.flatMap((vm) => (vm.settled ? [[vm, vm.settled] as const] : [])));
    if (this.#random.chance(GRACEFUL)) {
      await client.stopDaemon();
      await this.#place.daemonGone();
    } else await this.#place.killDaemon();
    await Promise.all(users);
    return before;
  }

  async #useIt(client: BangerClient): Promise<void> {
    while (!this.#isEnding && !this.#isOver()) {
      const vm = this.#random.pick(this.#vms);
      const verb = this.#chooseVerb(vm);
      this.#report.operations += 1;
      await vm.during(() => this.#do(client, vm, verb));
      if (!this.#isEnding) await vm.settle(client, AbortSignal.timeout(this.#options.boundMs));
    }
  }

  /** Mostly what makes sense, now and then what does not. */
  #chooseVerb(vm: StormVm): Verb {
    const [create, ...others] = this.#verbs;
    const isSensible = this.#random.chance(0.9);
    if (vm.id === undefined && isSensible && create) return create;
    return this.#random.pick(others);
  }

  async #do(client: BangerClient, vm: StormVm, verb: Verb): Promise<void> {
    const { size, boundMs } = this.#options;
    const signal = AbortSignal.timeout(boundMs);
    const name = this.#names.get(verb) ?? '';
    const beganAt = performance.now();
    let outcome = 'ok';
    try {
      await verb({ client, vm, random: this.#random, signal, size });
    } catch (error) {
      outcome = this.#judge(error, `${name} ${vm.name}`);
    }
    const key = `${name}: ${outcome}`;
    this.#report.outcomes[key] = (this.#report.outcomes[key] ?? 0) + 1;
    const ms = Math.round(performance.now() - beganAt);
    this.#options.print?.(`${name} ${vm.name} (${vm.id ?? 'none'}): ${outcome}, ${ms} ms`);
  }

  #judge(error: unknown, what: string): string {
    if (isTimeout(error) || isAbort(error)) {
      this.#report.problems.push(`${what} did not end within ${this.#options.boundMs} ms`);
      return 'hung';
    }
    const code = errorCode(error);
    if (code === undefined) {
      this.#report.problems.push(`${what}: ${error instanceof Error ? error.stack : messageOf(error)}`);
      return 'bug';
    }
    const isExpected = EXPECTED.has(code) || (this.#isEnding && DAEMON_GONE.has(code));
    if (!isExpected) this.#report.problems.push(`${what}: ${code} ${inspect(error)}`);
    return code;
  }

  /** No lock is stuck: each VM can be stopped and deleted. Then nothing is left. */
  async #calmDown(client: BangerClient): Promise<void> {
    const { problems } = this.#report;
    for (const { id, name } of await client.vms.list()) {
      const signal = AbortSignal.timeout(this.#options.boundMs);
      try {
        await (await client.vms.stop(id, { signal })).result();
        await (await client.vms.delete(id, { signal })).result();
      } catch (error) {
        problems.push(`cannot stop and delete ${name}: ${messageOf(error)}`);
      }
    }
    const machines = await this.#place.listMachines();
    if (machines.length > 0) problems.push(`machines left at the end: ${JSON.stringify(machines)}`);
    const { findings } = await client.fsck.check();
    problems.push(...findings.map((finding) => `fsck at the end: ${JSON.stringify(finding)}`));
  }
}
