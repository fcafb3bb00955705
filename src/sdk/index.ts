/** The public face of banger for programs: {@link BangerClient}. */
export { BangerClient, type ConnectOptions } from './client.ts';
export type { ExecProcess } from './exec-process.ts';
export type { ImageList, ImagesClient } from './images.ts';
export type { KernelsClient } from './kernels.ts';
export { isFinal, type OperationHandle, type OperationOptions } from './operation-handle.ts';
export type { OperationsClient } from './operations.ts';
export { defaultSocketPath } from './socket-path.ts';
export type { DeleteVmOptions, LogsOptions, StopVmOptions, VmsClient, WaitVmOptions } from './vms.ts';
export { type ErrorCode, isUserError, UserError } from '#contract/errors.ts';
export type { ExecRequest, ExecResult } from '#contract/owner/exec.ts';
export type { DoctorReport, DoctorRow, Host } from '#contract/owner/host.ts';
export type { AvailableImage, Image } from '#contract/owner/image.ts';
export type { Kernel } from '#contract/owner/kernel.ts';
export type { Operation, OperationKind, OperationStatus, Progress } from '#contract/owner/operation.ts';
export type {
  CreateVmRequest,
  Ping,
  StopOutcome,
  Vm,
  VmSpec,
  VmState,
  WaitCondition,
} from '#contract/owner/vm.ts';
