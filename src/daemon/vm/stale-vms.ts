import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { isUserError } from '#contract/errors.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import { isBusy, isStale } from './is-stale.ts';
import type { VmActivity } from './vm-activity.ts';

type Candidate = Pick<VmRecord, 'id' | 'name' | 'startedAtMs' | 'touchedAtMs'> & {
  spec: Pick<VmRecord['spec'], 'autoStopAfterMs'>;
};

export interface StaleVmsOptions {
  /** The VMs that run. */
  running: () => readonly Candidate[];
  activity: Pick<VmActivity, 'isInUse' | 'lastTouchedAtMs' | 'touch' | 'writeDue'>;
  /** Of one core, over the last minute of polls. */
  cpuPercent: (id: string) => number | undefined;
  /** Whether a command goes on in the guest without anybody attached to it. A UserError: the guest does not say. */
  hasDetachedCommand: (id: string, options: Abortable) => Promise<boolean>;
  /** An operation on the VM is under way. */
  isBeingChanged: (id: string) => boolean;
  /** For VMs whose spec says nothing; 0: never. */
  defaultLimitMs: number;
  /** Begins an ordinary stop. */
  stop: (vm: { id: string; name: string }, reason: StaleReason) => Promise<unknown>;
  clock: Clock;
  log: Logger;
}

export interface StaleReason {
  reason: 'stale';
  idleMs: number;
  limitMs: number;
}

/** Stops VMs that nobody uses any more. */
export class StaleVms {
  readonly #options: StaleVmsOptions;

  constructor(options: StaleVmsOptions) {
    this.#options = options;
  }

  /** One round over the VMs that run; one that cannot be stopped holds up no other. */
  async check({ signal }: Abortable): Promise<void> {
    const { running, activity } = this.#options;
    activity.writeDue();
    await Promise.all(running().map((vm) => this.#checkOne(vm, { signal })));
  }

  async #checkOne(vm: Candidate, options: Abortable): Promise<void> {
    const { log, activity } = this.#options;
    try {
      // A VM that computes is used by whoever let it: it is not stale the moment it is done.
      if (isBusy({ cpuPercent: this.#options.cpuPercent(vm.id) })) activity.touch(vm.id);
      if (!this.#isStale(vm)) return;
      if (await this.#mayRunCommand(vm, options)) activity.touch(vm.id);
      // Again: somebody may have come while the guest was asked.
      if (this.#isStale(vm)) await this.#stop(vm);
    } catch (error) {
      if (options.signal?.aborted) return;
      log.error({ vm: vm.id, error: messageOf(error) }, 'cannot stop a stale VM');
    }
  }

  /** A guest that does not say is given the benefit of the doubt: a stop could only kill it. */
  async #mayRunCommand({ id, name }: Candidate, options: Abortable): Promise<boolean> {
    try {
      return await this.#options.hasDetachedCommand(id, options);
    } catch (error) {
      if (!isUserError(error)) throw error;
      this.#options.log.warn(
        { vm: id, name, error: error.message },
        'keeping a VM that nobody uses: its guest does not say whether a command runs',
      );
      return true;
    }
  }

  #isStale(vm: Candidate): boolean {
    const { activity, cpuPercent, isBeingChanged, clock } = this.#options;
    if (isBeingChanged(vm.id)) return false;
    return isStale(
      {
        limitMs: this.#limitOf(vm),
        lastUsedAtMs: this.#lastUsedAtMs(vm),
        isInUse: activity.isInUse(vm.id),
        cpuPercent: cpuPercent(vm.id),
      },
      clock.now(),
    );
  }

  async #stop(vm: Candidate): Promise<void> {
    const { log, stop, clock } = this.#options;
    const reason: StaleReason = {
      reason: 'stale',
      idleMs: clock.now() - this.#lastUsedAtMs(vm),
      limitMs: this.#limitOf(vm),
    };
    log.info({ vm: vm.id, name: vm.name, ...reason }, 'stopping a VM that nobody uses');
    await stop(vm, reason);
  }

  #limitOf({ spec }: Candidate): number {
    return spec.autoStopAfterMs ?? this.#options.defaultLimitMs;
  }

  #lastUsedAtMs(vm: Candidate): number {
    const touchedAtMs = Math.max(vm.touchedAtMs ?? 0, this.#options.activity.lastTouchedAtMs(vm.id) ?? 0);
    return Math.max(touchedAtMs, vm.startedAtMs ?? 0);
  }
}
