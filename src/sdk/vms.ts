import type { Readable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import type { OperationResult } from '#contract/owner/operation.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type {
  CreateVmRequest,
  KillSignal,
  Ping,
  SetVmRequest,
  StopOutcome,
  StopVmRequest,
  Vm,
  VmChange,
  WaitCondition,
} from '#contract/owner/vm.ts';
import { API_PREFIX } from '#contract/version.ts';
import type { ExecProcess } from './exec-process.ts';
import { openExec, type ExecOptions } from './open-exec.ts';
import type { OperationHandle, OperationOptions } from './operation-handle.ts';
import type { OperationsClient } from './operations.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';
import { vmPath } from './vm-path.ts';

export interface DeleteVmOptions extends OperationOptions {
  /** Kill the VM first when it runs. Otherwise that is `VM_RUNNING`. */
  force?: boolean;
}

export interface StopVmOptions extends OperationOptions, StopVmRequest {}

export interface KillVmOptions extends OperationOptions {
  /** Default `KILL`. */
  killSignal?: KillSignal;
}

/** What became of a change. */
export interface VmChanged {
  vm: Vm;
  /** What takes effect only at the next start. */
  atNextStart: VmChange[];
}

/** What became of a restart. */
export interface VmRestarted {
  vm: Vm;
  /** How it went down: `killed` when the guest was not done in time. */
  stop: StopOutcome;
}

export interface WaitVmOptions extends Abortable {
  /** Default `stopped`. */
  for?: WaitCondition;
  /** Without one the wait has no bound but the signal. */
  timeoutMs?: number;
}

export interface LogsOptions extends Abortable {
  /** How much of the end to begin with; default 65,536. */
  tailBytes?: number;
  /** Go on with what comes, until the VM is deleted or the stream is destroyed. */
  follow?: boolean;
}

/**
 * Virtual machines. A reference is an exact id or name, or a prefix of either that matches one VM; each method that takes one throws
 * `VM_NOT_FOUND` and `VM_REFERENCE_AMBIGUOUS`.
 */
export class VmsClient {
  readonly #transport: Transport;
  readonly #operations: OperationsClient;

  constructor(transport: Transport, operations: OperationsClient) {
    this.#transport = transport;
    this.#operations = operations;
  }

  /**
   * Makes a VM and, unless `start` is false, boots it until its agent answers. Cancelling removes what was made.
   *
   * The VM keeps how its image wants it run, with `entrypoint`, `command`, `env`, `cwd` and `user` of the request before it (`vm.run`).
   * Unless `service` is false, entrypoint and command are its service: started at each boot, and again as `restart` says.
   *
   * @throws UserError `INVALID_ARGUMENT`, `INVALID_NAME`, `VM_NAME_TAKEN`, `IMAGE_NOT_FOUND`, `KERNEL_NOT_FOUND`, `HOST_MEMORY_EXCEEDED`, `HOST_DISK_FULL`
   * before anything is made; from `result()`, with the image made and the VM rolled back, `DISK_TOO_SMALL`, `DISK_TOO_LARGE` and what else can go wrong with
   * images, disks, machines and guests. A VM that runs but whose guest does not answer is kept: `GUEST_NOT_ANSWERING`
   */
  async create(request: CreateVmRequest = {}, options: OperationOptions = {}): Promise<OperationHandle<Vm>> {
    const { signal } = options;
    return this.#operations.begin(
      { method: 'POST', path: `${API_PREFIX}/vms`, body: request, signal },
      options,
      vmOf,
    );
  }

  async list(options: Abortable = {}): Promise<Vm[]> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/vms`,
      signal: options.signal,
    });
    return (await readBody(response, async () => (await import('#contract/owner/vm.ts')).vmListSchema)).vms;
  }

  async get(reference: string, options: Abortable = {}): Promise<Vm> {
    const response = await this.#transport.send({
      method: 'GET',
      path: vmPath(reference),
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/vm.ts')).vmSchema);
  }

  /** Boots a VM until its agent answers. @throws UserError, from `result()`, what can go wrong with machines and guests */
  async start(reference: string, options: OperationOptions = {}): Promise<OperationHandle<Vm>> {
    const { signal } = options;
    return this.#operations.begin(
      { method: 'POST', path: vmPath(reference, 'start'), signal },
      options,
      vmOf,
    );
  }

  /** Syncs and powers off; the machine is killed when the guest is not done in time, and the outcome says so; `latest.result.waitedMs` of the handle is that time. */
  async stop(reference: string, options: StopVmOptions = {}): Promise<OperationHandle<StopOutcome>> {
    const { timeoutMs, signal } = options;
    const body = timeoutMs === undefined ? {} : { timeoutMs };
    return this.#operations.begin(
      { method: 'POST', path: vmPath(reference, 'stop'), body, signal },
      options,
      outcomeOf,
    );
  }

  /** Powers off as {@link stop} does and boots again; a VM that does not run is booted. */
  async restart(reference: string, options: StopVmOptions = {}): Promise<OperationHandle<VmRestarted>> {
    const { timeoutMs, signal } = options;
    const body = timeoutMs === undefined ? {} : { timeoutMs };
    return this.#operations.begin(
      { method: 'POST', path: vmPath(reference, 'restart'), body, signal },
      options,
      restartedOf,
    );
  }

  /**
   * Sends a signal to the VM's machine, without asking the guest: what was not synced may be lost. `KILL` also breaks off a start or
   * stop that is on its way.
   */
  async kill(reference: string, options: KillVmOptions = {}): Promise<OperationHandle<StopOutcome>> {
    const { killSignal, signal } = options;
    const body = killSignal === undefined ? {} : { signal: killSignal };
    return this.#operations.begin(
      { method: 'POST', path: vmPath(reference, 'kill'), body, signal },
      options,
      outcomeOf,
    );
  }

  /**
   * Changes a VM: name, disk size and auto-stop at once, the rest at the next start when it runs.
   *
   * @throws UserError, from `result()`, `VM_NAME_TAKEN`, `INVALID_NAME`, `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED`, `DISK_TOO_SMALL`, `DISK_TOO_LARGE`
   */
  async set(
    reference: string,
    change: SetVmRequest,
    options: OperationOptions = {},
  ): Promise<OperationHandle<VmChanged>> {
    const { signal } = options;
    const request = { method: 'PATCH', path: vmPath(reference), body: change, signal } as const;
    return this.#operations.begin(request, options, changedOf);
  }

  /** Notes that somebody uses the VM, which keeps it from being stopped as stale. */
  async touch(reference: string, options: Abortable = {}): Promise<Vm> {
    const response = await this.#transport.send({
      method: 'POST',
      path: vmPath(reference, 'touch'),
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/vm.ts')).vmSchema);
  }

  /** Removes the VM and its disk for good. @throws UserError `VM_RUNNING` without `force` */
  async delete(reference: string, options: DeleteVmOptions = {}): Promise<OperationHandle<void>> {
    const { force = false, signal } = options;
    const path = `${vmPath(reference)}${query({ force: force || undefined })}`;
    return this.#operations.begin({ method: 'DELETE', path, signal }, options, () => undefined);
  }

  /** Waits until the VM runs, has stopped, its agent answers, its init is done, or something listens on a port of it. @throws UserError `GUEST_NOT_ANSWERING` after `timeoutMs` */
  async wait(reference: string, options: WaitVmOptions = {}): Promise<Vm> {
    const { signal, timeoutMs } = options;
    const path = `${vmPath(reference, 'wait')}${query({ for: options.for, timeoutMs })}`;
    const response = await this.#transport.send({ method: 'GET', path, signal });
    return readBody(response, async () => (await import('#contract/owner/vm.ts')).vmSchema);
  }

  /** One round trip to the agent. @throws UserError `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  async ping(reference: string, options: Abortable = {}): Promise<Ping> {
    const response = await this.#transport.send({
      method: 'GET',
      path: vmPath(reference, 'ping'),
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/vm.ts')).pingSchema);
  }

  /**
   * How the VM's own command is, which runs as a service.
   *
   * @throws UserError `SERVICE_NOT_DEFINED` for a VM without one, `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING`
   */
  async service(reference: string, options: Abortable = {}): Promise<ServiceStatus> {
    const response = await this.#transport.send({
      method: 'GET',
      path: vmPath(reference, 'service'),
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/service.ts')).serviceStatusSchema);
  }

  /** What the guest wrote to its serial console, the output of its service included, as bytes. Destroy the stream to leave. */
  async logs(reference: string, options: LogsOptions = {}): Promise<Readable> {
    const { signal, follow, tailBytes } = options;
    const path = `${vmPath(reference, 'logs')}${query({ tailBytes, follow: follow || undefined })}`;
    return this.#transport.send({ method: 'GET', path, signal });
  }

  /**
   * Starts a command in the guest; resolves when it runs. The words of `argv` arrive as they are; variables, working folder and user that
   * are not given are those of the VM (`vm.run`). Aborting ends the command, before and after.
   *
   * @throws UserError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING`, `GUEST_LINK_LOST`
   */
  async exec(reference: string, request: ExecRequest, options: ExecOptions = {}): Promise<ExecProcess> {
    return openExec(this.#transport, { vm: reference, request, ...options });
  }
}

function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function vmOf({ vm }: OperationResult): Vm {
  if (!vm) throw new Error('the operation succeeded without telling of the VM');
  return vm;
}

function changedOf(result: OperationResult): VmChanged {
  return { vm: vmOf(result), atNextStart: result.atNextStart ?? [] };
}

function restartedOf(result: OperationResult): VmRestarted {
  return { vm: vmOf(result), stop: outcomeOf(result) };
}

function outcomeOf({ stop }: OperationResult): StopOutcome {
  if (!stop) throw new Error('the operation succeeded without telling how the VM stopped');
  return stop;
}
