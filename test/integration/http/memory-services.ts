import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Abortable, raceAbort } from '#base/abort.ts';
import { newVmId } from '#base/ids.ts';
import { silentLogger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { Host } from '#contract/owner/host.ts';
import type { Operation } from '#contract/owner/operation.ts';
import type { VmPorts } from '#contract/owner/port.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type {
  CreateVmRequest,
  KillVmRequest,
  SetVmRequest,
  StopVmRequest,
  Vm,
  WaitCondition,
} from '#contract/owner/vm.ts';
import { BUILD } from '#contract/version.ts';
import { CommandService } from '#daemon/command/command-service.ts';
import type { KernelHandlers, Services, VmHandlers } from '#daemon/http/services.ts';
import { OperationRegistry } from '#daemon/operation/operation-registry.ts';
import type { OperationContext } from '#daemon/operation/operations.ts';
import { AgentClient } from '#guest/agent-client.ts';
import { FakeGuest } from '#guest/fake/fake-guest.ts';
import { MemoryUsage } from './memory-usage.ts';

/** The daemon's services with nothing below them: VMs are rows in memory, guests are fake ones behind Unix sockets. */
export class MemoryServices implements Services {
  readonly folder: string;
  readonly operations = new OperationRegistry({ log: silentLogger });
  readonly vms: MemoryVms;
  readonly stats: MemoryUsage;
  readonly activity: MemoryUsage;
  readonly commands: CommandService;
  shutdownRequested = false;

  constructor(folder: string) {
    this.folder = folder;
    this.vms = new MemoryVms(folder, this.operations);
    this.stats = new MemoryUsage(this.vms);
    this.activity = this.stats;
    this.commands = new CommandService({
      agent: (reference) => this.vms.agent(reference),
      complete: (_, request) => request,
    });
  }

  images = {
    list: async () => ({
      images: [],
      available: [
        {
          name: 'debian-bookworm',
          description: 'Debian 12',
          kind: 'recipe' as const,
          catalog: 'built-in',
          origin: 'Debian bookworm',
          pulled: false,
        },
      ],
      catalogProblems: [],
    }),
    get: async () => noImage(),
    pull: async () => noImage(),
    import: async () => noImage(),
    commit: async () => noImage(),
    register: async () => noImage(),
    tag: noImage,
    promote: async () => noImage(),
    export: async () => noImage(),
    seed: async () => noImage(),
    delete: async () => noImage(),
    pruneCache: async () => ({ files: 0, bytes: 0 }),
  };
  bundles = { make: async () => noImage() };
  imageBuilds = { build: async () => noImage() };
  kernels: KernelHandlers = {
    list: async () => ({ kernels: [], available: [] }),
    get: async (reference) => unknownKernel(reference),
    pull: async ({ name }) => unknownKernel(name),
    import: async () => this.operations.begin({ kind: 'kernel.import' }, async () => ({})),
    setDefault: async (reference) => unknownKernel(reference),
    delete: async (reference) => unknownKernel(reference),
  };
  events = {
    list: () => [],
    follow: async function* () {
      yield* [];
    },
  };
  ports = {
    list: async (reference: string): Promise<VmPorts> => {
      const { id, name, state } = this.vms.get(reference);
      return { id, vm: name, state, ports: [], published: [] };
    },
    publish: async () => [],
    unpublish: async () => [],
  };
  host = {
    describe: async (): Promise<Host> => ({
      build: BUILD,
      pid: process.pid,
      startedAt: new Date(0).toISOString(),
      vms: { total: this.vms.list().length, running: 0 },
      paths: {
        state: this.folder,
        cache: this.folder,
        runtime: this.folder,
        socket: this.folder,
        log: this.folder,
      },
      memoryRssBytes: process.memoryUsage.rss(),
    }),
    doctor: async () => ({
      rows: [{ check: 'kvm', status: 'warn' as const, message: 'no KVM', hint: 'slower' }],
    }),
  };

  fsck = {
    check: async () => ({ findings: [] }),
    repair: async () => ({ repaired: [], failed: [], remaining: [] }),
  };

  requestShutdown(): void {
    this.shutdownRequested = true;
  }

  async close(): Promise<void> {
    await this.operations.close();
    await this.vms.close();
  }
}

/** A VM called `stuck…` is created until it is cancelled, one called `broken…` fails with a bug. */
class MemoryVms implements VmHandlers {
  readonly guests = new Map<string, FakeGuest>();
  readonly #folder: string;
  readonly #operations: OperationRegistry;
  readonly #vms = new Map<string, Vm>();
  readonly #agents = new Map<string, AgentClient>();
  #changed = Promise.withResolvers<void>();

  constructor(folder: string, operations: OperationRegistry) {
    this.#folder = folder;
    this.#operations = operations;
  }

  list(): Vm[] {
    return [...this.#vms.values()];
  }

  get(reference: string): Vm {
    const vm = this.list().find(({ id, name }) => id === reference || name === reference);
    if (!vm)
      throw new UserError('VM_NOT_FOUND', `Cannot find "${reference}": no VM has this name or id`, {
        hint: 'banger list',
      });
    return vm;
  }

  async create(request: CreateVmRequest): Promise<Operation> {
    const name = request.name ?? 'generated';
    if (this.list().some((vm) => vm.name === name))
      throw new UserError('VM_NAME_TAKEN', `Cannot create "${name}": the name is taken`);
    const vm = newVm(name);
    return this.#operations.begin({ kind: 'vm.create', vm: { id: vm.id, name } }, async (context) => {
      await this.#boot(vm, context);
      return { vm: this.get(vm.id) };
    });
  }

  async start(reference: string): Promise<Operation> {
    const vm = this.get(reference);
    return this.#operations.begin({ kind: 'vm.start', vm }, async (context) => {
      await this.#boot(vm, context);
      return { vm: this.get(vm.id) };
    });
  }

  async stop(reference: string, request: StopVmRequest): Promise<Operation> {
    const { id, name } = this.get(reference);
    return this.#operations.begin({ kind: 'vm.stop', vm: { id, name } }, async () => {
      await this.#agents.get(id)?.close();
      await this.guests.get(id)?.close();
      this.#put({ ...this.get(id), state: 'stopped' });
      return { stop: request.timeoutMs === 0 ? 'killed' : 'powered-off' };
    });
  }

  async restart(reference: string): Promise<Operation> {
    const vm = this.get(reference);
    return this.#operations.begin({ kind: 'vm.restart', vm }, async (context) => {
      await this.#boot(vm, context);
      return { vm: this.get(vm.id), stop: vm.state === 'running' ? 'powered-off' : 'already-stopped' };
    });
  }

  async kill(reference: string, { signal = 'KILL' }: KillVmRequest): Promise<Operation> {
    const { id, name } = this.get(reference);
    return this.#operations.begin({ kind: 'vm.kill', vm: { id, name } }, async () => {
      if (signal !== 'KILL') return { stop: 'still-running' };
      this.#put({ ...this.get(id), state: 'stopped' });
      return { stop: 'killed' };
    });
  }

  async set(reference: string, { name, vcpus }: SetVmRequest): Promise<Operation> {
    const vm = this.get(reference);
    return this.#operations.begin({ kind: 'vm.set', vm: { id: vm.id, name: vm.name } }, async () => {
      const spec = { ...vm.spec, vcpus: vcpus ?? vm.spec.vcpus };
      this.#put({ ...vm, name: name ?? vm.name, spec });
      return { vm: this.get(vm.id), atNextStart: vcpus === undefined ? [] : ['vcpus'] };
    });
  }

  async touch(reference: string): Promise<Vm> {
    return this.get(reference);
  }

  async delete(reference: string, { force }: { force: boolean }): Promise<Operation> {
    const vm = this.get(reference);
    if (vm.state === 'running' && !force)
      throw new UserError('VM_RUNNING', `Cannot delete "${vm.name}": it is running`);
    return this.#operations.begin({ kind: 'vm.delete', vm: { id: vm.id, name: vm.name } }, async () => {
      this.#vms.delete(vm.id);
      this.#change();
      return {};
    });
  }

  async wait(reference: string, condition: WaitCondition, { signal }: Abortable): Promise<Vm> {
    const { id } = this.get(reference);
    for (;;) {
      const vm = this.get(id);
      if (vm.state === (condition === 'agent' ? 'running' : condition)) return vm;
      await raceAbort(this.#changed.promise, signal);
    }
  }

  async ping(reference: string, options: Abortable): Promise<{ roundTripMs: number; bootId: string }> {
    const agent = await this.agent(reference);
    return { roundTripMs: await agent.ping(options), bootId: agent.hello.bootId };
  }

  async serviceStatus(reference: string, options: Abortable): Promise<ServiceStatus> {
    const agent = await this.agent(reference);
    const status = await agent.service.status(options);
    if (status) return status;
    throw new UserError(
      'SERVICE_NOT_DEFINED',
      `Cannot say how the service of "${reference}" is: it has none`,
    );
  }

  consoleLogPath(reference: string): string {
    return join(this.#folder, `${this.get(reference).id}.log`);
  }

  async agent(reference: string): Promise<AgentClient> {
    const { id, name, state } = this.get(reference);
    const agent = this.#agents.get(id);
    if (!agent || state !== 'running')
      throw new UserError('VM_NOT_RUNNING', `Cannot reach "${name}": it is ${state}`);
    return agent;
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) await agent.close();
    for (const guest of this.guests.values()) await guest.close();
  }

  async #boot(vm: Vm, context: OperationContext): Promise<void> {
    context.stage('create-disk');
    if (vm.name.startsWith('broken')) throw new TypeError('a bug');
    if (vm.name.startsWith('stuck')) await raceAbort(new Promise<never>(() => {}), context.signal);
    context.stage('wait-for-agent', 'booting');
    const path = join(this.#folder, `${vm.id}.guest`);
    const guest = await FakeGuest.listen(path);
    this.guests.set(vm.id, guest);
    const stream = connect(path);
    await once(stream, 'connect');
    this.#agents.set(vm.id, await AgentClient.connect(stream));
    this.#put({ ...vm, state: 'running' });
  }

  #put(vm: Vm): void {
    this.#vms.set(vm.id, vm);
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function noImage(): never {
  throw new UserError('IMAGE_NOT_FOUND', 'Cannot find the image: there is none in memory');
}

function newVm(name: string): Vm {
  return {
    id: newVmId(),
    name,
    state: 'creating',
    spec: {
      image: 'debian-bookworm',
      vcpus: 1,
      memoryMiB: 512,
      diskBytes: 8 * 2 ** 30,
      network: 'none',
      autoRemove: false,
    },
    published: [],
    imageId: 'image',
    kernelId: 'kernel',
    createdAt: new Date(0).toISOString(),
  };
}

function unknownKernel(reference: string): never {
  throw new UserError(
    'KERNEL_NOT_FOUND',
    `Cannot find the kernel "${reference}": none here has this name or id`,
  );
}
