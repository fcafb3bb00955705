import type { Logger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type {
  AvailableKernel,
  ImportKernelRequest,
  Kernel,
  KernelDetails,
  PullKernelRequest,
} from '#contract/owner/kernel.ts';
import type { Operation } from '#contract/owner/operation.ts';
import { pathExists, readFileIfThere } from '#host/files.ts';
import type { KernelHandlers } from '../../http/services.ts';
import type { Operations } from '../../operation/operations.ts';
import type { Catalogs } from '../catalog/catalogs.ts';
import { BOOT_MODULES_FOLDER, UNCOMPRESSED_KERNEL_FILE } from './kernel-files.ts';
import type { KernelStore } from './kernel-store.ts';

/** What was made with a kernel and needs it. */
interface KernelUser {
  id: string;
  name: string;
  kernelId?: string | undefined;
}

export interface KernelServiceOptions {
  store: KernelStore;
  /** Where the kernels that can be pulled are listed. */
  catalogs: Pick<Catalogs, 'refresh'>;
  operations: Operations;
  listVms: () => readonly KernelUser[];
  listImages: () => readonly KernelUser[];
  log: Logger;
}

const MAKES_IMAGES: ReadonlySet<string> = new Set([
  'image.pull',
  'image.import',
  'image.commit',
  'image.build',
]);

/** Every operation on kernels. */
export class KernelService implements KernelHandlers {
  readonly #options: KernelServiceOptions;

  constructor(options: KernelServiceOptions) {
    this.#options = options;
  }

  async list(): Promise<{ kernels: Kernel[]; available: AvailableKernel[] }> {
    const { store, catalogs } = this.#options;
    await catalogs.refresh();
    return { kernels: store.list(), available: store.listAvailable() };
  }

  async get(reference: string): Promise<KernelDetails> {
    const { store, listVms } = this.#options;
    const kernel = store.find(reference);
    const folder = store.folderOf(kernel.id);
    const list = (await readFileIfThere(`${folder}/${BOOT_MODULES_FOLDER}/modules.list`)) ?? '';
    return {
      ...kernel,
      folder,
      hasUncompressed: await pathExists(`${folder}/${UNCOMPRESSED_KERNEL_FILE}`),
      bootModules: list.split('\n').filter(Boolean),
      usedBy: usersOf(kernel, listVms()),
    };
  }

  async pull({ name, force = false }: PullKernelRequest): Promise<Operation> {
    const { store, catalogs, operations } = this.#options;
    await catalogs.refresh({ isNeeded: !store.offers(name) });
    store.getRecipe(name);
    return operations.begin({ kind: 'kernel.pull' }, async (context) => {
      const options = { signal: context.signal, report: context };
      return { kernel: this.#view(await store.pull(name, { force }, options)) };
    });
  }

  async import({ name, path, modules }: ImportKernelRequest): Promise<Operation> {
    const { store, operations } = this.#options;
    store.checkNewName(name);
    return operations.begin({ kind: 'kernel.import' }, async (context) => {
      const options = { signal: context.signal, report: context };
      return { kernel: this.#view(await store.import(name, { path, modules }, options)) };
    });
  }

  async setDefault(reference: string): Promise<Kernel> {
    const { store } = this.#options;
    const kernel = store.find(reference);
    store.setDefault(kernel.id);
    return this.#view(kernel);
  }

  async delete(reference: string): Promise<Kernel> {
    const { store, listVms, listImages, log } = this.#options;
    const kernel = store.find(reference);
    const vms = [...usersOf(kernel, listVms()).map(({ name }) => name), ...this.#beingMade()];
    const images = [...usersOf(kernel, listImages()).map(({ name }) => name), ...this.#imagesBeingMade()];
    if (vms.length + images.length > 0) throw inUse(kernel, vms, images);
    await store.remove(kernel.id);
    log.info({ kernel: kernel.name, id: kernel.id }, 'removed a kernel');
    return kernel;
  }

  /** VMs that have no record yet but may have been given any kernel. */
  #beingMade(): string[] {
    const { operations, listVms } = this.#options;
    const known = new Set(listVms().map(({ id }) => id));
    const creating = operations
      .list()
      .filter(({ kind, status }) => kind === 'vm.create' && status === 'running');
    return creating.flatMap(({ vm }) => (vm && !known.has(vm.id) ? [vm.name] : []));
  }

  /** Images that have no record yet but may have been given any kernel. */
  #imagesBeingMade(): string[] {
    const { operations } = this.#options;
    const isMaking = operations
      .list()
      .some(({ kind, status }) => MAKES_IMAGES.has(kind) && status === 'running');
    return isMaking ? ['one that is being made'] : [];
  }

  /** As the list has it: whether it is the default depends on the others. */
  #view(kernel: Kernel): Kernel {
    return this.#options.store.list().find(({ id }) => id === kernel.id) ?? kernel;
  }
}

function usersOf({ id }: Kernel, users: readonly KernelUser[]): { id: string; name: string }[] {
  return users.filter(({ kernelId }) => kernelId === id).map((user) => ({ id: user.id, name: user.name }));
}

function inUse({ name }: Kernel, vms: readonly string[], images: readonly string[]): UserError {
  const users = [
    ...(vms.length > 0 ? [`VMs have it: ${vms.join(', ')}`] : []),
    ...(images.length > 0 ? [`images have it: ${images.join(', ')}`] : []),
  ];
  return new UserError('KERNEL_IN_USE', `Cannot remove the kernel "${name}": ${users.join('; ')}`, {
    hint: 'delete them first; new VMs take the default kernel (banger kernel default)',
    details: { vms, images },
  });
}
