import type { Abortable } from '#base/abort.ts';
import type { FsckRepairReport, FsckReport } from '#contract/owner/fsck.ts';
import type { VmEvent } from '#contract/owner/event.ts';
import type { DetachedCommand, StartCommandRequest, StartedCommand } from '#contract/owner/command.ts';
import type { DoctorReport, Host } from '#contract/owner/host.ts';
import type { BuildImageRequest } from '#contract/owner/image-build.ts';
import type { BundleImageRequest } from '#contract/owner/image-bundle.ts';
import type {
  CommitImageRequest,
  DeletedImage,
  ExportImageRequest,
  Image,
  ImageDetails,
  ImageList,
  ImportImageRequest,
  PrunedCache,
  PullImageRequest,
  RegisterImageRequest,
  SeedImageRequest,
} from '#contract/owner/image.ts';
import type {
  AvailableKernel,
  ImportKernelRequest,
  Kernel,
  KernelDetails,
  PullKernelRequest,
} from '#contract/owner/kernel.ts';
import type { Operation } from '#contract/owner/operation.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type {
  PublishedPortState,
  PublishPortRequest,
  UnpublishPortQuery,
  VmPorts,
} from '#contract/owner/port.ts';
import type { VmStats, VmStatsReport } from '#contract/owner/stats.ts';
import type {
  CreateVmRequest,
  KillVmRequest,
  SetVmRequest,
  StopVmRequest,
  Vm,
  WaitCondition,
} from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { Operations } from '../operation/operations.ts';

/** A reference is an exact id or name, or a prefix of either that matches one VM. */
export type VmReference = string;

/** What the handlers forward to; they hold no behaviour of their own. */
export interface Services {
  vms: VmHandlers;
  images: ImageHandlers;
  /** Bundles of images. */
  bundles: BundleHandlers;
  /** Images of Dockerfiles. */
  imageBuilds: ImageBuildHandlers;
  kernels: KernelHandlers;
  operations: Operations;
  events: EventHandlers;
  stats: StatsHandlers;
  activity: ActivityHandlers;
  host: { describe(): Promise<Host>; doctor(options: Abortable): Promise<DoctorReport> };
  fsck: FsckHandlers;
  ports: PortHandlers;
  commands: CommandHandlers;
  /** Begins a graceful shutdown that leaves the VMs running; returns at once. */
  requestShutdown(): void;
}

/** A reference is an id, a name, an entry of the catalog, or a prefix of id or name. */
export interface KernelHandlers {
  list(): Promise<{ kernels: Kernel[]; available: AvailableKernel[] }>;
  /** @throws UserError `KERNEL_NOT_FOUND` */
  get(reference: string): Promise<KernelDetails>;
  /** @throws UserError `KERNEL_NOT_FOUND` */
  pull(request: PullKernelRequest): Promise<Operation>;
  /** @throws UserError `INVALID_NAME`, `KERNEL_NAME_TAKEN` */
  import(request: ImportKernelRequest): Promise<Operation>;
  /** @throws UserError `KERNEL_NOT_FOUND` */
  setDefault(reference: string): Promise<Kernel>;
  /** @throws UserError `KERNEL_NOT_FOUND`, `KERNEL_IN_USE` */
  delete(reference: string): Promise<Kernel>;
}

export interface EventSelection {
  /** Of a VM that is gone its full name or id. */
  vms?: readonly VmReference[] | undefined;
  sinceMs?: number | undefined;
  /** Only those after this sequence number. */
  after?: number | undefined;
  /** Only so many of the newest. */
  limit?: number | undefined;
}

export interface EventHandlers {
  /** Oldest first. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  list(selection: EventSelection): VmEvent[];
  /** Those that are there, then each as it happens, until the signal aborts. Throws as `list` does, at once. */
  follow(selection: EventSelection, options: Abortable): AsyncIterable<VmEvent>;
}

export interface StatsHandlers {
  /** What each VM that runs uses, measured now. */
  list(options: Abortable): Promise<VmStats[]>;
  /** With so many of the samples before. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`, `VM_NOT_RUNNING` */
  get(reference: VmReference, options: { history?: number | undefined } & Abortable): Promise<VmStatsReport>;
}

export interface ActivityHandlers {
  /** The VM is in use until the answer is disposed. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  use(reference: VmReference): Disposable;
}

export interface PortHandlers {
  /** What the guest listens on and what is published. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`, `GUEST_NOT_ANSWERING` */
  list(reference: VmReference, options: Abortable): Promise<VmPorts>;
  /** @throws UserError `VM_NOT_FOUND`, `PORT_TAKEN`, `PORT_NOT_ALLOWED`, `INVALID_ARGUMENT` */
  publish(
    reference: VmReference,
    request: PublishPortRequest,
    options: Abortable,
  ): Promise<PublishedPortState[]>;
  /** Answers with what was published. @throws UserError `VM_NOT_FOUND`, `PORT_NOT_PUBLISHED` */
  unpublish(
    reference: VmReference,
    port: UnpublishPortQuery & { hostPort: number },
    options: Abortable,
  ): Promise<PublishedPortState[]>;
}

/** Detached commands. Each method: @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`, `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
export interface CommandHandlers {
  /** @throws UserError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `DETACHED_COMMANDS_FULL` */
  start(reference: VmReference, request: StartCommandRequest, options: Abortable): Promise<StartedCommand>;
  list(reference: VmReference, options: Abortable): Promise<DetachedCommand[]>;
  /** @throws UserError `DETACHED_COMMAND_NOT_FOUND`, `DETACHED_COMMAND_ENDED` */
  signal(reference: VmReference, command: { id: number; signal: number }, options: Abortable): Promise<void>;
  /** @throws UserError `DETACHED_COMMAND_NOT_FOUND`, `DETACHED_COMMAND_RUNNING` */
  remove(reference: VmReference, id: number, options: Abortable): Promise<void>;
}

/** A reference is the exact name or id of an image. Each method that takes one: @throws UserError `IMAGE_NOT_FOUND` */
export interface ImageHandlers {
  list(): Promise<ImageList>;
  get(reference: string): Promise<ImageDetails>;
  /** What makes an image, or names one: @throws UserError `INVALID_NAME`, `IMAGE_NAME_TAKEN`, `KERNEL_NOT_FOUND` before it begins */
  pull(request: PullImageRequest): Promise<Operation>;
  import(request: ImportImageRequest): Promise<Operation>;
  commit(request: CommitImageRequest): Promise<Operation>;
  /** @throws UserError `IMAGE_SOURCE_INVALID` */
  register(request: RegisterImageRequest): Promise<Image>;
  tag(reference: string, name: string): Image;
  promote(reference: string): Promise<Operation>;
  export(reference: string, request: ExportImageRequest): Promise<Operation>;
  /** @throws UserError `PUBLIC_KEY_INVALID` before it begins */
  seed(reference: string, request: SeedImageRequest): Promise<Operation>;
  /** @throws UserError `IMAGE_IN_USE` */
  delete(reference: string, options: { force: boolean }): Promise<DeletedImage>;
  pruneCache(options: { dryRun: boolean }): Promise<PrunedCache>;
}

export interface BundleHandlers {
  /** @throws UserError `IMAGE_NOT_FOUND`, `INVALID_ARGUMENT` before it begins */
  make(reference: string, request: BundleImageRequest): Promise<Operation>;
}

export interface ImageBuildHandlers {
  /** @throws UserError `INVALID_NAME`, `IMAGE_NAME_TAKEN`, `KERNEL_NOT_FOUND`, `IMAGE_SOURCE_INVALID`, `HOST_TOOL_MISSING` before it begins */
  build(request: BuildImageRequest): Promise<Operation>;
}

export interface FsckHandlers {
  check(): Promise<FsckReport>;
  repair(options: Abortable): Promise<FsckRepairReport>;
}

export interface VmHandlers {
  list(): Vm[];
  /** @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  get(reference: VmReference): Vm;
  /** Checks the request (`INVALID_NAME`, `VM_NAME_TAKEN`, `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED`, `IMAGE_NOT_FOUND`, …) before it begins. */
  create(request: CreateVmRequest): Promise<Operation>;
  start(reference: VmReference): Promise<Operation>;
  stop(reference: VmReference, request: StopVmRequest): Promise<Operation>;
  restart(reference: VmReference, request: StopVmRequest): Promise<Operation>;
  kill(reference: VmReference, request: KillVmRequest): Promise<Operation>;
  set(reference: VmReference, request: SetVmRequest): Promise<Operation>;
  /** Notes that somebody uses the VM. */
  touch(reference: VmReference): Promise<Vm>;
  delete(reference: VmReference, options: { force: boolean }): Promise<Operation>;
  /** @throws UserError `VM_NOT_FOUND`, also when it is deleted meanwhile; the signal's reason */
  wait(reference: VmReference, condition: WaitCondition, options: Abortable): Promise<Vm>;
  /** @throws UserError `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  ping(reference: VmReference, options: Abortable): Promise<{ roundTripMs: number; bootId: string }>;
  /** How the service of a VM is. @throws UserError `SERVICE_NOT_DEFINED`, `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  serviceStatus(reference: VmReference, options: Abortable): Promise<ServiceStatus>;
  /** Path of the serial console's log; the file may not be there yet. */
  consoleLogPath(reference: VmReference): string;
  /** The open session with the VM's agent. @throws UserError `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  agent(reference: VmReference, options: Abortable): Promise<AgentClient>;
}
