import type { Abortable } from '#base/abort.ts';
import { encodePlainOpen, Operation } from '#contract/guest/open.ts';
import {
  decodeDefinedStatus,
  decodeServiceStatus,
  encodeDefineServiceOpen,
  encodeStopServiceOpen,
} from '#contract/guest/service-messages.ts';
import type { ServiceDefinition } from '#contract/guest/service-messages.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import { askGuest } from './ask-guest.ts';
import type { GuestQuestion } from './ask-guest.ts';
import { operationError } from './guest-errors.ts';
import type { AgentSession } from './session.ts';

export interface DefineOptions extends Abortable {
  /** Stops a different service that is defined, and begins with this one. */
  replace?: boolean | undefined;
}

export interface StopOptions extends Abortable {
  /** How long it may take after the stop signal; default: as it was defined. */
  graceMs?: number | undefined;
}

/**
 * The one service of a guest, which the agent supervises: it belongs to no session and begins anew with every boot only when it is
 * defined again. Errors besides its own are those of the agent's client; before one is defined, stop and start throw
 * `GUEST_OPERATION_FAILED` with details.guestCode `NOT_FOUND`.
 */
export class GuestService {
  readonly #session: AgentSession;

  constructor(session: AgentSession) {
    this.#session = session;
  }

  /**
   * Defines the service and starts it; without effect when the same one is defined already, whatever has become of it.
   *
   * @throws UserError `GUEST_OPERATION_FAILED` with details.guestCode `EXISTS` when another one is; `INVALID_ARGUMENT`,
   * `REQUEST_TOO_LARGE`
   */
  define(definition: ServiceDefinition, options: DefineOptions = {}): Promise<ServiceStatus> {
    const open = encodeDefineServiceOpen({ definition, replace: options.replace ?? false });
    return this.#ask({ action: 'define the service', open, decode: decodeDefinedStatus }, options);
  }

  /** Undefined when none is defined. */
  status(options: Abortable = {}): Promise<ServiceStatus | undefined> {
    const open = encodePlainOpen(Operation.SERVICE_STATUS);
    return this.#ask({ action: 'read how the service is', open, decode: decodeServiceStatus }, options);
  }

  /** Resolves when it does not run any more. It stays as it is when it did not. */
  stop(options: StopOptions = {}): Promise<ServiceStatus> {
    const open = encodeStopServiceOpen(options.graceMs);
    return this.#ask({ action: 'stop the service', open, decode: decodeDefinedStatus }, options);
  }

  /** Starts it when it does not run, and at once when it would later. */
  start(options: Abortable = {}): Promise<ServiceStatus> {
    const open = encodePlainOpen(Operation.SERVICE_START);
    return this.#ask({ action: 'start the service', open, decode: decodeDefinedStatus }, options);
  }

  #ask<Result>(question: Omit<GuestQuestion<Result>, 'toError'>, options: Abortable): Promise<Result> {
    return askGuest(this.#session, { ...question, toError: operationError }, options);
  }
}
