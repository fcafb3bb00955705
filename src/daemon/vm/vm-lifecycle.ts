import { isTimeout, withTimeout } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { UserError, isUserError } from '#contract/errors.ts';
import type { KillSignal, StopOutcome } from '#contract/owner/vm.ts';
import type { DiskDriver } from '#disk/disk.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { AgentSessions } from './agent-sessions.ts';
import { createSteps } from './create-plan.ts';
import type { HostAddresses } from './host-addresses.ts';
import type { KernelFiles, MachineRunner, StartParts } from './machine-runner.ts';
import { runSteps, type Failpoint, type Step } from './run-steps.ts';
import type { VmRegistry } from './vm-registry.ts';
import { mayFollow } from './vm-states.ts';

export interface VmLifecycleOptions {
  registry: VmRegistry;
  runner: MachineRunner;
  sessions: AgentSessions;
  disk: DiskDriver;
  addresses: HostAddresses;
  kernelFiles: (kernelId: string) => Promise<KernelFiles>;
  clock: Clock;
  log: Logger;
  failpoint: Failpoint;
  /** Told of each VM that runs from now on. */
  onRunning: (id: string) => void;
}

/** Of the time a stop may take, the guest's own init gets this part; then the agent powers off by itself. */
const GRACE_SHARE = 0.8;
/** How long a machine may take to end after a signal that it may handle. */
const SIGNAL_GRACE_MS = 5000;
/**
 * Of the time a stop may take, so much stays for the power-off, but at most half: an agent that answers only now syncs first, gives
 * everybody up to a second to end, and syncs again. Until then it is waited for, because what was not synced dies with the machine.
 */
const POWER_OFF_RESERVE_MS = 2000;

/** What a stop came to. */
export interface Stopped {
  stop: StopOutcome;
  /** How long a guest that was killed had been waited for. */
  waitedMs?: number;
}

/** The lifecycle operations themselves. Callers hold the VM's lock. */
export class VmLifecycle {
  readonly #options: VmLifecycleOptions;

  constructor(options: VmLifecycleOptions) {
    this.#options = options;
  }

  /** Makes a VM and, if asked, starts it. All or nothing, except for a guest that runs but does not answer: that VM is kept. */
  async create(
    made: VmRecord,
    plan: { baseDiskPath: string; start: boolean },
    context: OperationContext,
  ): Promise<VmRecord> {
    const { registry, runner, disk, addresses } = this.#options;
    const record = addresses.assign(made); // the first step, which stores it, runs before anything else can
    const parts = this.#startParts(record);
    const steps = createSteps({ registry, runner, disk, start: parts }, record, plan.baseDiskPath);
    if (plan.start) steps.push(...this.#options.runner.startSteps(record, parts));
    const final = await this.#runToState(steps, context, {
      id: record.id,
      commit: () =>
        plan.start ? this.#markRunning(record.id, parts) : registry.transition(record.id, 'stopped'),
    });
    if (parts.notAnswering) throw parts.notAnswering;
    return final;
  }

  /** Does nothing when it runs already. */
  async start(id: string, context: OperationContext): Promise<VmRecord> {
    const { registry, addresses } = this.#options;
    const found = registry.get(id);
    if (found.state === 'running') return found;
    if (!mayFollow(found.state, 'starting')) throw unusable(found);
    const record = addresses.ensure(found);
    registry.transition(id, 'starting', { lastError: null });
    const parts = this.#startParts(record);
    try {
      const final = await this.#runToState(this.#options.runner.startSteps(record, parts), context, {
        id,
        commit: () => this.#markRunning(id, parts),
      });
      if (parts.notAnswering) throw parts.notAnswering;
      return final;
    } catch (error) {
      if (registry.find(id)?.state === 'starting') {
        registry.transition(id, 'stopped', { lastError: errorSummary(error) });
      }
      throw error;
    }
  }

  /** Syncs and powers off through the agent; kills what is still there after `timeoutMs`. */
  async stop(id: string, timeoutMs: number, context: OperationContext): Promise<Stopped> {
    const { state } = this.#options.registry.get(id);
    if (state === 'error') return { stop: await this.#settleError(id) };
    if (state !== 'running') return { stop: 'already-stopped' };
    let stopped: Stopped = { stop: 'killed', waitedMs: 0 };
    const powerOff: Step = {
      name: 'power-off',
      run: async ({ log }) => {
        stopped = await this.#powerOff(id, timeoutMs, log);
      },
    };
    await this.#takeDown(id, timeoutMs > 0 ? [powerOff] : [], context);
    return stopped;
  }

  /** Sends a signal to the machine's process, and sees whether that ends it. */
  async kill(id: string, signal: KillSignal, context: OperationContext): Promise<StopOutcome> {
    const { registry, runner } = this.#options;
    const { state } = registry.get(id);
    if (state === 'error') return this.#settleError(id);
    if (state !== 'running') return 'already-stopped';
    await runner.signalMachine(id, `SIG${signal}`);
    if (signal !== 'KILL' && !(await this.#endsWithin(id, SIGNAL_GRACE_MS))) return 'still-running';
    await this.#takeDown(id, [], context);
    return 'killed';
  }

  /** What an earlier failure left may be gone by now, or may go at this try. */
  async #settleError(id: string): Promise<StopOutcome> {
    const { registry, runner, clock } = this.#options;
    const machine = await runner.findMachine(id);
    await runner.tearDown(id);
    registry.transition(id, 'stopped', { stoppedAtMs: clock.now() });
    return machine ? 'killed' : 'already-stopped';
  }

  async #takeDown(id: string, before: readonly Step[], context: OperationContext): Promise<void> {
    const { registry, runner, failpoint, clock } = this.#options;
    registry.transition(id, 'stopping');
    const tearDown: Step = { name: 'tear-down', run: () => runner.tearDown(id) };
    try {
      await runSteps([...before, tearDown], uncancellable(context), failpoint);
    } catch (error) {
      registry.transition(id, 'error', { lastError: errorSummary(error) });
      throw error;
    }
    registry.transition(id, 'stopped', { stoppedAtMs: clock.now() });
  }

  /** Ends the machine if it runs, removes everything. May run again after it failed half way. */
  async remove(id: string, context: OperationContext): Promise<void> {
    const { registry, runner, failpoint } = this.#options;
    registry.transition(id, 'deleting');
    const steps: Step[] = [
      { name: 'tear-down', run: () => runner.tearDown(id) },
      { name: 'remove-files', run: () => runner.removeFiles(id) },
      { name: 'forget', run: async () => registry.remove(id) },
    ];
    await runSteps(steps, uncancellable(context), failpoint);
  }

  /** The machine ended by itself: takes down what is left of it. */
  async settleExit(id: string): Promise<void> {
    const { registry, runner, log, clock } = this.#options;
    if (registry.find(id)?.state !== 'running') return;
    if (await runner.findMachine(id)) return;
    log.info({ vm: id }, 'the machine ended by itself');
    await runner.tearDown(id);
    registry.transition(id, 'stopped', { stoppedAtMs: clock.now() });
  }

  #startParts(record: VmRecord): StartParts {
    return { kernel: () => this.#options.kernelFiles(record.kernelId) };
  }

  /** Runs the steps; the commit is the last step, so that a failure in it rolls everything back too. */
  async #runToState(
    steps: readonly Step[],
    context: OperationContext,
    end: { id: string; commit: () => VmRecord },
  ): Promise<VmRecord> {
    let final: VmRecord | undefined;
    const commit: Step = {
      name: 'commit',
      run: async () => {
        final = end.commit();
      },
    };
    await runSteps([...steps, commit], context, this.#options.failpoint);
    const record = final as unknown as VmRecord;
    if (record.state === 'running') this.#options.onRunning(end.id);
    return record;
  }

  #markRunning(id: string, { notAnswering }: StartParts): VmRecord {
    return this.#options.registry.transition(id, 'running', {
      startedAtMs: this.#options.clock.now(),
      lastError: notAnswering ? errorSummary(notAnswering) : null,
    });
  }

  async #powerOff(id: string, timeoutMs: number, log: Logger): Promise<Stopped> {
    const begunMs = performance.now();
    const spentMs = () => Math.round(performance.now() - begunMs);
    const signal = withTimeout(timeoutMs);
    try {
      const reserveMs = Math.min(POWER_OFF_RESERVE_MS, timeoutMs / 2);
      const agent = await this.#agentOf(id, timeoutMs - reserveMs, signal);
      const graceMs = Math.max(0, Math.round((timeoutMs - spentMs()) * GRACE_SHARE));
      await agent?.powerOff({ graceMs, signal });
    } catch (error) {
      const killed: Stopped = { stop: 'killed', waitedMs: spentMs() };
      if (isTimeout(error)) return killed;
      // A guest that is gone already, or whose agent cannot be reached, is for the rest of the stop to settle.
      log.warn({ vm: id, error: messageOf(error) }, 'the agent could not power the guest off');
      if (isUserError(error, 'GUEST_NOT_ANSWERING')) return killed;
    }
    if (await this.#ends(id, signal)) return { stop: 'powered-off' };
    return { stop: 'killed', waitedMs: spentMs() };
  }

  /** Undefined when the machine ended before its agent answered. @throws UserError `GUEST_NOT_ANSWERING` */
  async #agentOf(id: string, timeoutMs: number, signal: AbortSignal): Promise<AgentClient | undefined> {
    const { sessions, runner } = this.#options;
    const open = sessions.find(id);
    if (open) return open;
    const done = new AbortController();
    const bound = AbortSignal.any([signal, done.signal]);
    const ended = runner.waitForExit(id, { signal: bound }).then(() => undefined);
    ended.catch(() => {}); // only the first one counts
    try {
      return await Promise.race([sessions.get(id, timeoutMs, { signal: bound }), ended]);
    } finally {
      done.abort();
    }
  }

  #endsWithin(id: string, timeoutMs: number): Promise<boolean> {
    return this.#ends(id, withTimeout(timeoutMs));
  }

  async #ends(id: string, deadline: AbortSignal): Promise<boolean> {
    try {
      await this.#options.runner.waitForExit(id, { signal: deadline });
      return true;
    } catch (error) {
      if (isTimeout(error)) return false;
      throw error;
    }
  }
}

function unusable({ name, state }: VmRecord): UserError {
  return new UserError('VM_DAMAGED', `Cannot start "${name}": it is left in state "${state}"`, {
    hint: `what a crash left of it could not be removed; try again: banger vm delete --force ${name}`,
  });
}

export function errorSummary(error: unknown): { code: string; message: string } {
  return { code: error instanceof UserError ? error.code : 'INTERNAL', message: messageOf(error) };
}

/** Past its first step a stop or a delete is finished, not abandoned half way. */
function uncancellable(context: OperationContext): OperationContext {
  return {
    id: context.id,
    log: context.log,
    signal: new AbortController().signal,
    stage: (name, detail) => context.stage(name, detail),
    subject: (vm) => context.subject(vm),
    detail: (text) => context.detail(text),
    progress: (done, total, unit) => context.progress(done, total, unit),
  };
}
