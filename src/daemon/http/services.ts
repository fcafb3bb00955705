import type { Abortable } from '#base/abort.ts';
import type { DoctorReport, Host } from '#contract/owner/host.ts';
import type { Image } from '#contract/owner/image.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import type { Operation } from '#contract/owner/operation.ts';
import type { CreateVmRequest, StopVmRequest, Vm, WaitCondition } from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { Operations } from '../operation/operations.ts';

/** A reference is an exact id or name, or a prefix of either that matches one VM. */
export type VmReference = string;

/** What the handlers forward to; they hold no behaviour of their own. */
export interface Services {
  vms: VmHandlers;
  images: {
    list(): Promise<{ images: Image[]; available: { name: string; description: string; pulled: boolean }[] }>;
  };
  kernels: { list(): Promise<Kernel[]> };
  operations: Operations;
  host: { describe(): Promise<Host>; doctor(options: Abortable): Promise<DoctorReport> };
  /** Begins a graceful shutdown that leaves the VMs running; returns at once. */
  requestShutdown(): void;
}

export interface VmHandlers {
  list(): Vm[];
  /** @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  get(reference: VmReference): Vm;
  /** Checks the request (`INVALID_NAME`, `VM_NAME_TAKEN`, `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED`, `IMAGE_NOT_FOUND`, …) before it begins. */
  create(request: CreateVmRequest): Promise<Operation>;
  start(reference: VmReference): Promise<Operation>;
  stop(reference: VmReference, request: StopVmRequest): Promise<Operation>;
  delete(reference: VmReference, options: { force: boolean }): Promise<Operation>;
  /** @throws UserError `VM_NOT_FOUND`, also when it is deleted meanwhile; the signal's reason */
  wait(reference: VmReference, condition: WaitCondition, options: Abortable): Promise<Vm>;
  /** @throws UserError `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  ping(reference: VmReference, options: Abortable): Promise<{ roundTripMs: number; bootId: string }>;
  /** Path of the serial console's log; the file may not be there yet. */
  consoleLogPath(reference: VmReference): string;
  /** The open session with the VM's agent. @throws UserError `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  agent(reference: VmReference, options: Abortable): Promise<AgentClient>;
}
