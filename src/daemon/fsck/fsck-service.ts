import { join } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Layout } from '#contract/layout.ts';
import type { Finding, FsckRepairReport, FsckReport } from '#contract/owner/fsck.ts';
import { listFolderIfThere } from '#host/files.ts';
import type { FsckHandlers } from '../http/services.ts';
import type { ArtifactLeftover } from '../image/artifact-folder.ts';
import type { KeyedLocks } from '../vm/vm-locks.ts';
import { observeVm, observeVms, type ObserveOptions } from './observe.ts';
import { artifactFinding, isSameFinding, plan } from './plan.ts';
import { planVm } from './plan-vm.ts';
import { VM_REPAIRS, type RepairParts } from './repairs.ts';

export interface FsckOptions extends RepairParts {
  layout: Layout;
  locks: KeyedLocks;
  artifacts: {
    findLeftovers(): Promise<ArtifactLeftover[]>;
    removeLeftover(leftover: ArtifactLeftover): Promise<void>;
  };
  log: Logger;
}

/** Compares what the store says with what is really there, while everything goes on. */
export class FsckService implements FsckHandlers {
  readonly #options: FsckOptions;

  constructor(options: FsckOptions) {
    this.#options = options;
  }

  async check(): Promise<FsckReport> {
    const { layout, artifacts } = this.#options;
    const orphans = join(layout.stateDir, 'orphans');
    return {
      findings: plan({
        vms: await observeVms(this.#observing()),
        artifacts: await artifacts.findLeftovers(),
        orphans: (await listFolderIfThere(orphans)).map((name) => join(orphans, name)),
      }),
    };
  }

  /** Repairs what can be, each after looking at it again. What fails does not keep the rest from being repaired. */
  async repair({ signal }: Abortable): Promise<FsckRepairReport> {
    const { findings } = await this.check();
    const repaired: Finding[] = [];
    const failed: FsckRepairReport['failed'] = [];
    for (const finding of findings.filter(({ repair }) => repair !== undefined)) {
      signal?.throwIfAborted();
      try {
        await this.#repairOne(finding, signal);
        this.#options.log.info({ finding }, 'repaired');
        repaired.push(finding);
      } catch (error) {
        signal?.throwIfAborted();
        this.#options.log.error({ finding, error: messageOf(error) }, 'cannot repair');
        failed.push({ finding, message: messageOf(error) });
      }
    }
    const { findings: remaining } = await this.check();
    return { repaired, failed, remaining };
  }

  async #repairOne(finding: Finding, signal: AbortSignal | undefined): Promise<void> {
    const { vm } = finding;
    if (!vm) return this.#repairArtifact(finding);
    await this.#options.locks.run(vm.id, () => this.#repairVm(vm.id, finding), { signal });
  }

  /** The caller holds the VM's lock. What an earlier repair or an operation took away meanwhile needs none. */
  async #repairVm(id: string, finding: Finding): Promise<void> {
    const now = await observeVm(id, this.#observing());
    const still = planVm(now).find((other) => isSameFinding(finding, other));
    if (still) await VM_REPAIRS[still.kind]?.(still, now, this.#options);
  }

  async #repairArtifact(finding: Finding): Promise<void> {
    const { artifacts } = this.#options;
    const leftovers = await artifacts.findLeftovers();
    const still = leftovers.find((leftover) => isSameFinding(finding, artifactFinding(leftover)));
    if (still) await artifacts.removeLeftover(still);
  }

  #observing(): ObserveOptions {
    const { registry, handles, drivers, layout, locks } = this.#options;
    return { records: registry, handles, drivers, layout, isBusy: (id) => locks.isHeld(id) };
  }
}
