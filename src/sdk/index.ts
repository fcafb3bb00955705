/** The public face of banger for programs: {@link BangerClient}. */
export { BangerClient, type ConnectOptions } from './client.ts';
export type { AttachOptions, CommandsClient, CommandView } from './commands.ts';
export type { EventsClient, EventsOptions } from './events.ts';
export type { ExecProcess } from './exec-process.ts';
export type { ExecOptions } from './open-exec.ts';
export type { FsckClient } from './fsck.ts';
export type { DeleteImageOptions, ImagesClient } from './images.ts';
export type { KernelsClient, PullKernelOptions } from './kernels.ts';
export { isFinal, type OperationHandle, type OperationOptions } from './operation-handle.ts';
export type { OperationsClient } from './operations.ts';
export type { PortsClient, UnpublishPortOptions } from './ports.ts';
export { defaultSocketPath } from './socket-path.ts';
export type { StatsClient, StatsOptions } from './stats.ts';
export type {
  DeleteVmOptions,
  LogsOptions,
  StopVmOptions,
  VmChanged,
  VmRestarted,
  VmsClient,
  WaitVmOptions,
} from './vms.ts';
export { type ErrorCode, isUserError, UserError } from '#contract/errors.ts';
export type { VmEvent, VmEventKind } from '#contract/owner/event.ts';
export type {
  Attached,
  AttachRequest,
  DetachedCommand,
  StartCommandRequest,
  StartedCommand,
} from '#contract/owner/command.ts';
export type { ExecRequest, ExecResult } from '#contract/owner/exec.ts';
export type { Finding, FindingKind, FsckRepairReport, FsckReport } from '#contract/owner/fsck.ts';
export type { DoctorReport, DoctorRow, Host } from '#contract/owner/host.ts';
export type {
  AvailableImage,
  CatalogProblem,
  DeletedImage,
  Image,
  ImageDetails,
  ImageList,
  PrunedCache,
  RunConfig,
  SeedImageRequest,
  WorkSeed,
} from '#contract/owner/image.ts';
export type { BuildImageRequest, ImageBuilderName } from '#contract/owner/image-build.ts';
export type { BundleImageRequest, ImageBundle } from '#contract/owner/image-bundle.ts';
export type { AvailableKernel, ImportKernelRequest, Kernel, KernelDetails } from '#contract/owner/kernel.ts';
export type { Operation, OperationKind, OperationStatus, Progress } from '#contract/owner/operation.ts';
export type { GuestPort, PublishedPortState, PublishPortRequest, VmPorts } from '#contract/owner/port.ts';
export type { RestartPolicy, ServiceState, ServiceStatus } from '#contract/owner/service.ts';
export type { VmRun } from '#contract/owner/vm-run.ts';
export type { StatsSample, VmStats, VmStatsReport } from '#contract/owner/stats.ts';
export type {
  CreateVmRequest,
  Ping,
  StopOutcome,
  Vm,
  VmSpec,
  VmState,
  WaitCondition,
} from '#contract/owner/vm.ts';
