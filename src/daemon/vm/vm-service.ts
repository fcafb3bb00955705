import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { newVmId } from '#base/ids.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { MiB, formatSize } from '#base/sizes.ts';
import type { VmDefaults } from '#config/vm-defaults.ts';
import { UserError } from '#contract/errors.ts';
import type { Image } from '#contract/owner/image.ts';
import type { Operation, OperationKind } from '#contract/owner/operation.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type {
  CreateVmRequest,
  KillVmRequest,
  PublishedPort,
  SetVmRequest,
  StopVmRequest,
  Vm,
  WaitCondition,
} from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import { freeSpaceBytes } from '#host/capabilities.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { VmHandlers } from '../http/services.ts';
import type { OperationContext, Operations } from '../operation/operations.ts';
import type { AgentSessions } from './agent-sessions.ts';
import { changeVm, type ChangeParts } from './change-vm.ts';
import type { HandleCache } from './handles.ts';
import type { MachineRunner } from './machine-runner.ts';
import { newVmRecord, type CreatePlan } from './new-vm-record.ts';
import { resolveRun } from './resolve-run.ts';
import { findServiceStatus } from './service-status.ts';
import type { VmLifecycle } from './vm-lifecycle.ts';
import type { KeyedLocks } from './vm-locks.ts';
import { checkVmName, generateVmName } from './vm-name.ts';
import type { VmRegistry } from './vm-registry.ts';
import { resolveDiskBytes, resolveSpec, type HostSize } from './vm-spec.ts';
import { viewVm } from './vm-view.ts';
import { waitForCondition } from './wait-condition.ts';

/** What a VM is made from; images and kernels belong to another service. */
export interface ImageSource {
  /** @throws UserError `IMAGE_NOT_FOUND` when there is none and none can be made */
  assertAvailable(name: string): Promise<void>;
  ensureImage(
    name: string,
    options: { signal: AbortSignal; report: ProgressReporter },
  ): Promise<{
    record: Pick<Image, 'id' | 'virtualBytes' | 'kernelId' | 'config'>;
    rootDiskPath: string;
  }>;
  /** Keeps an image from being deleted. @throws UserError `IMAGE_NOT_FOUND` */
  holdImage(id: string): Disposable;
  /** @throws UserError `KERNEL_NOT_FOUND`, `INVALID_ARGUMENT` when the reference could mean several */
  findKernel(reference: string): { id: string };
  /** @throws UserError `KERNEL_NOT_FOUND` */
  getKernel(id: string): Promise<{ record: { id: string } }>;
  ensureKernel(options: {
    signal: AbortSignal;
    report: ProgressReporter;
  }): Promise<{ record: { id: string } }>;
}

export interface VmServiceOptions {
  registry: VmRegistry;
  runner: MachineRunner;
  lifecycle: VmLifecycle;
  sessions: AgentSessions;
  handles: HandleCache;
  locks: KeyedLocks;
  operations: Operations;
  images: ImageSource;
  /** Free ports of the host for those that an image exposes. @throws UserError `INVALID_ARGUMENT` */
  chooseHostPorts: (exposed: readonly string[]) => Promise<PublishedPort[]>;
  /** What of VMs can be changed. */
  changes: Omit<ChangeParts, 'registry' | 'host'>;
  host: HostSize;
  /** What a VM gets where its request says nothing. */
  defaults: VmDefaults;
  vmsDir: string;
  clock: Clock;
}

const STOP_TIMEOUT_MS = 10_000;
/** How long a call that needs the agent waits for one that is (re)connecting. */
const AGENT_WAIT_MS = 10_000;
const STARTS: ReadonlySet<OperationKind> = new Set(['vm.start', 'vm.restart']);
/** A VM is not made on a file system with less room than this. */
const MIN_FREE_BYTES = 256 * MiB;

/** The VMs of one user: who they are, and every operation on them. */
export class VmService implements VmHandlers {
  readonly #options: VmServiceOptions;

  constructor(options: VmServiceOptions) {
    this.#options = options;
  }

  list(): Vm[] {
    return this.#options.registry.list().map((record) => this.#view(record));
  }

  get(reference: string): Vm {
    return this.#view(this.#find(reference));
  }

  async create(request: CreateVmRequest): Promise<Operation> {
    const { registry, images, operations, host, defaults } = this.#options;
    const spec = resolveSpec(request, host, defaults);
    if (request.name !== undefined) this.#checkNewName(request.name);
    await images.assertAvailable(spec.image);
    const kernelId = request.kernel === undefined ? undefined : images.findKernel(request.kernel).id;
    await this.#checkFreeSpace();
    const name = request.name ?? generateVmName((candidate) => registry.isNameTaken(candidate));
    const vm = { id: newVmId(), name };
    return operations.begin({ kind: 'vm.create', vm }, async (context) => {
      using _ = registry.holdName(name);
      const record = await this.#create({ vm, spec, request, kernelId }, context);
      return { vm: this.#view(record) };
    });
  }

  async start(reference: string): Promise<Operation> {
    return this.#operate('vm.start', reference, async (id, context) => {
      const record = await this.#options.lifecycle.start(id, context);
      return { vm: this.#view(record) };
    });
  }

  async stop(reference: string, { timeoutMs = STOP_TIMEOUT_MS }: StopVmRequest): Promise<Operation> {
    return this.#stop(reference, timeoutMs);
  }

  /** A stop that ended with its daemon is done again: nobody knows how far the guest is. */
  finishStop(reference: string): void {
    this.#stop(reference, STOP_TIMEOUT_MS);
  }

  /** Powers off and boots again; boots one that does not run. */
  async restart(reference: string, request: StopVmRequest): Promise<Operation> {
    return this.#operate('vm.restart', reference, async (id, context) => {
      const { lifecycle } = this.#options;
      const stopped = await lifecycle.stop(id, request.timeoutMs ?? STOP_TIMEOUT_MS, context);
      return { vm: this.#view(await lifecycle.start(id, context)), ...stopped };
    });
  }

  /** For a machine that nothing else ends: what holds the VM's lock is ended too. */
  async kill(reference: string, { signal = 'KILL' }: KillVmRequest): Promise<Operation> {
    const { id } = this.#find(reference);
    if (signal === 'KILL') await this.#breakLock(id);
    return this.#operate('vm.kill', id, async (_, context) => {
      const stop = await this.#options.lifecycle.kill(id, signal, context);
      const vm = this.#view(this.#options.registry.get(id));
      if (vm.spec.autoRemove && stop === 'killed') await this.#options.lifecycle.remove(id, context);
      return { vm, stop };
    });
  }

  /** Changes a VM; what cannot be changed while it runs takes effect at its next start. */
  async set(reference: string, request: SetVmRequest): Promise<Operation> {
    const { registry, host, changes } = this.#options;
    return this.#operate('vm.set', reference, async (id, context) => {
      const vm = this.#view(await changeVm({ registry, host, ...changes }, { id, request }, context));
      return { vm, atNextStart: vm.pendingChanges?.filter((change) => request[change] !== undefined) ?? [] };
    });
  }

  /** Somebody uses it. */
  async touch(reference: string): Promise<Vm> {
    const { registry, clock } = this.#options;
    return this.#view(registry.change(this.#find(reference).id, { touchedAtMs: clock.now() }));
  }

  async delete(reference: string, { force }: { force: boolean }): Promise<Operation> {
    if (!force) this.#refuseRunning(this.#find(reference));
    return this.#operate('vm.delete', reference, async (id, context) => {
      const record = this.#options.registry.get(id);
      if (!force) this.#refuseRunning(record);
      const vm = this.#view(record);
      await this.#options.lifecycle.remove(id, context);
      return { vm };
    });
  }

  async wait(reference: string, condition: WaitCondition, options: Abortable): Promise<Vm> {
    const { registry } = this.#options;
    const { id } = this.#find(reference);
    const parts = {
      waitUntil: (probe: () => Vm | undefined, bound: Abortable) => registry.waitUntil(probe, bound),
      view: () => this.#view(registry.get(id)),
      agent: (bound: Abortable) => this.agent(id, bound),
    };
    return waitForCondition(parts, condition, options);
  }

  async ping(reference: string, options: Abortable): Promise<{ roundTripMs: number; bootId: string }> {
    const agent = await this.agent(reference, options);
    return { roundTripMs: await agent.ping(options), bootId: agent.hello.bootId };
  }

  consoleLogPath(reference: string): string {
    return this.#options.runner.consoleLogPath(this.#find(reference).id);
  }

  async agent(reference: string, options: Abortable): Promise<AgentClient> {
    const record = this.#find(reference);
    if (record.state !== 'running') {
      throw new UserError('VM_NOT_RUNNING', `Cannot reach "${record.name}": it is ${record.state}`, {
        hint: `banger vm start ${record.name}`,
      });
    }
    return this.#options.sessions.get(record.id, AGENT_WAIT_MS, options);
  }

  async serviceStatus(reference: string, options: Abortable): Promise<ServiceStatus> {
    const agent = await this.agent(reference, options);
    return findServiceStatus(this.#find(reference), agent, options);
  }

  /** The machine of this VM ended by itself. */
  async settleExit(id: string): Promise<void> {
    const { locks, lifecycle, registry, operations } = this.#options;
    const autoRemove = await locks.run(id, async () => {
      await lifecycle.settleExit(id);
      const record = registry.find(id);
      return record?.spec.autoRemove === true && record.state === 'stopped';
    });
    if (!autoRemove) return;
    const record = registry.find(id);
    if (record) await operationEnd(operations, await this.delete(record.id, { force: false }));
  }

  async #create(plan: CreatePlan, context: OperationContext): Promise<VmRecord> {
    const { images, locks, lifecycle, clock, defaults, chooseHostPorts } = this.#options;
    const { signal } = context;
    const { vm, spec, request } = plan;
    context.stage('resolve-image');
    const image = await images.ensureImage(spec.image, { signal, report: context });
    using _ = images.holdImage(image.record.id); // until the VM's row does
    const { config, virtualBytes } = image.record;
    const diskBytes = resolveDiskBytes(request.diskBytes, virtualBytes, defaults.diskBytes.value);
    context.stage('resolve-kernel');
    const kernel = await this.#kernelFor(plan.kernelId ?? image.record.kernelId, context);
    const record = newVmRecord({
      vm,
      spec,
      diskBytes,
      imageId: image.record.id,
      kernelId: kernel.record.id,
      run: resolveRun(config, request),
      published: request.publishAll ? await chooseHostPorts(config?.exposedPorts ?? []) : [],
      now: clock.now(),
    });
    const start = request.start ?? true;
    return await locks.run(
      record.id,
      () => lifecycle.create(record, { baseDiskPath: image.rootDiskPath, start }, context),
      { signal },
    );
  }

  #stop(reference: string, timeoutMs: number): Operation {
    return this.#operate('vm.stop', reference, async (id, context) => {
      const stopped = await this.#options.lifecycle.stop(id, timeoutMs, context);
      const vm = this.#view(this.#options.registry.get(id));
      if (vm.spec.autoRemove) await this.#options.lifecycle.remove(id, context);
      return { vm, ...stopped };
    });
  }

  #kernelFor(id: string | undefined, context: OperationContext): Promise<{ record: { id: string } }> {
    const { images } = this.#options;
    return id === undefined
      ? images.ensureKernel({ signal: context.signal, report: context })
      : images.getKernel(id);
  }

  /** Begins an operation on one VM, whose lock it holds from beginning to end. */
  #operate(
    kind: Exclude<OperationKind, 'vm.create'>,
    reference: string,
    body: (id: string, context: OperationContext) => Promise<NonNullable<Operation['result']>>,
  ): Operation {
    const { id, name } = this.#find(reference);
    return this.#options.operations.begin({ kind, vm: { id, name } }, (context) => {
      context.stage('wait-for-turn');
      return this.#options.locks.run(id, () => body(id, context), { signal: context.signal });
    });
  }

  /** Cancels a start that is on its way and ends the machine that a stop waits for. */
  async #breakLock(id: string): Promise<void> {
    const { operations, runner, locks, registry } = this.#options;
    if (!locks.isHeld(id) || registry.find(id)?.state === 'creating') return;
    const starts = operations
      .list()
      .filter(({ vm, kind, status }) => vm?.id === id && status === 'running' && STARTS.has(kind));
    await Promise.all(starts.map((start) => operations.cancel(start.id)));
    await runner.signalMachine(id, 'SIGKILL');
  }

  #find(reference: string): VmRecord {
    return this.#options.registry.resolve(reference);
  }

  #view(record: VmRecord): Vm {
    return viewVm(record, this.#options.handles.get(record.id), this.#options.sessions.hello(record.id));
  }

  #checkNewName(name: string): void {
    checkVmName(name);
    if (!this.#options.registry.isNameTaken(name)) return;
    throw new UserError('VM_NAME_TAKEN', `Cannot create "${name}": another VM has this name`, {
      hint: `choose another --name, or remove it: banger vm delete ${name}`,
    });
  }

  #refuseRunning({ state, name }: VmRecord): void {
    if (state !== 'running' && state !== 'starting' && state !== 'stopping') return;
    throw new UserError('VM_RUNNING', `Cannot delete "${name}": it is ${state}`, {
      hint: `stop it first: banger vm stop ${name} — or give --force`,
    });
  }

  async #checkFreeSpace(): Promise<void> {
    const free = await freeSpaceBytes(this.#options.vmsDir);
    if (free >= MIN_FREE_BYTES) return;
    throw new UserError(
      'HOST_DISK_FULL',
      `Cannot create a VM: only ${formatSize(free)} are free in "${this.#options.vmsDir}"`,
      {
        hint: 'delete VMs that are not needed: banger vm list',
      },
    );
  }
}

async function operationEnd(operations: Operations, operation: Operation): Promise<void> {
  for await (const _ of operations.events(operation.id, {})) continue;
}
