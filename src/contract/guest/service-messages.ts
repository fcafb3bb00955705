import { UserError } from '../errors.ts';
import { serviceStateSchema } from '../owner/service.ts';
import type { RestartPolicy, ServiceStatus } from '../owner/service.ts';
import { decodeExecOpen, decodeExecResult, encodeExecResult, execFields } from './exec-messages.ts';
import { Fields, FieldsBuilder } from './fields.ts';
import { decodeGuestFailure, encodeGuestFailure } from './guest-error.ts';
import type { GuestErrorCode } from './guest-error.ts';
import { MalformedError } from './malformed.ts';
import { buildOpen, openFields, Operation } from './open.ts';
import { timeOf } from './time-of.ts';

const RESTART_POLICIES: readonly RestartPolicy[] = ['no', 'on-failure', 'always'];
const MAX_SIGNAL = 64;
const MAX_GRACE_MS = 600_000;

/** The one service of a machine. */
export interface ServiceDefinition {
  argv: string[];
  /** All of it; the guest adds only `PATH` and `HOME` where they are missing. */
  env: Record<string, string>;
  /** Made when it is missing; default `/`. */
  cwd?: string | undefined;
  /** `name`, `uid`, `name:group` or `uid:gid`, as the guest's own files know them; default root. */
  user?: string | undefined;
  /** By number; default 15, SIGTERM. */
  stopSignal?: number | undefined;
  restart: RestartPolicy;
  /** How long it may take to end after the stop signal; default 10 s. */
  graceMs?: number | undefined;
}

export interface DefineServiceRequest {
  definition: ServiceDefinition;
  /** Stops a different one first; without it that is refused. */
  replace: boolean;
}

export const DEFAULT_SERVICE_GRACE_MS = 10_000;
export const DEFAULT_STOP_SIGNAL = 15;

/** `OPEN` of define-service. @throws UserError `INVALID_ARGUMENT`, `REQUEST_TOO_LARGE` */
export function encodeDefineServiceOpen({ definition, replace }: DefineServiceRequest): Uint8Array {
  const { stopSignal = DEFAULT_STOP_SIGNAL, graceMs = DEFAULT_SERVICE_GRACE_MS, restart } = definition;
  requireWithin('stop signal', stopSignal, { min: 1, max: MAX_SIGNAL });
  requireWithin('grace time', graceMs, { min: 0, max: MAX_GRACE_MS });
  const { argv, env, cwd, user } = definition;
  const command = {
    argv,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
  };
  const fields = execFields(Operation.SERVICE_DEFINE, command)
    .u32(10, stopSignal)
    .u32(11, RESTART_POLICIES.indexOf(restart))
    .u32(12, graceMs)
    .u32(13, Number(replace));
  return buildOpen(fields, `the service "${argv[0]}"`);
}

function requireWithin(what: string, value: number, { min, max }: { min: number; max: number }): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new UserError(
    'INVALID_ARGUMENT',
    `Cannot define the service: the ${what} ${value} is not a whole number from ${min} to ${max}`,
  );
}

/** @throws MalformedError */
export function decodeDefineServiceOpen(payload: Uint8Array): DefineServiceRequest {
  const fields = new Fields(payload);
  const { argv, env = {}, cwd, user } = decodeExecOpen(payload);
  const restart = RESTART_POLICIES[fields.requireNumber(11)];
  if (restart === undefined) throw new MalformedError('a service with an unknown restart policy');
  const graceMs = fields.number(12);
  return {
    definition: { argv, env, cwd, user, stopSignal: fields.number(10), restart, graceMs },
    replace: fields.number(13) === 1,
  };
}

export function encodeStopServiceOpen(graceMs?: number): Uint8Array {
  const fields = openFields(Operation.SERVICE_STOP);
  if (graceMs === undefined) return fields.build();
  requireWithin('grace time', graceMs, { min: 0, max: MAX_GRACE_MS });
  return fields.u32(2, graceMs).build();
}

/** @throws MalformedError */
export function decodeStopServiceOpen(payload: Uint8Array): number | undefined {
  return new Fields(payload).number(2);
}

/** `RESULT` of whatever is about the service; without fields: none is defined. */
export function encodeServiceStatus(status: ServiceStatus | undefined): Uint8Array {
  const fields = new FieldsBuilder();
  if (status === undefined) return fields.build();
  fields.text(1, status.state).u32(3, status.starts);
  if (status.pid !== undefined) fields.u32(2, status.pid);
  if (status.startedAt !== undefined) fields.u64(4, Date.parse(status.startedAt));
  if (status.endedAt !== undefined) fields.u64(5, Date.parse(status.endedAt));
  if (status.lastExit !== undefined) fields.bytes(6, encodeExecResult(status.lastExit));
  if (status.failure !== undefined) {
    const { code, message } = status.failure;
    fields.bytes(7, encodeGuestFailure({ code: code as GuestErrorCode, message }));
  }
  if (status.restartInMs !== undefined) fields.u32(8, status.restartInMs);
  return fields.build();
}

/** @throws MalformedError */
export function decodeServiceStatus(payload: Uint8Array): ServiceStatus | undefined {
  if (payload.length === 0) return undefined;
  const fields = new Fields(payload);
  const state = serviceStateSchema.safeParse(fields.text(1));
  if (!state.success) throw new MalformedError('a service in an unknown state');
  const [pid, restartInMs] = [fields.number(2), fields.number(8)];
  const [lastExit, failure] = [fields.bytes(6), fields.bytes(7)];
  return {
    state: state.data,
    starts: fields.requireNumber(3),
    ...(pid === undefined ? {} : { pid }),
    ...(fields.bytes(4) && { startedAt: timeOf(fields, 4) }),
    ...(fields.bytes(5) && { endedAt: timeOf(fields, 5) }),
    ...(lastExit && { lastExit: decodeExecResult(lastExit) }),
    ...(failure && { failure: failureOf(failure) }),
    ...(restartInMs === undefined ? {} : { restartInMs }),
  };
}

/** @throws MalformedError when no service is defined */
export function decodeDefinedStatus(payload: Uint8Array): ServiceStatus {
  const status = decodeServiceStatus(payload);
  if (!status) throw new MalformedError('no status of the service');
  return status;
}

function failureOf(payload: Uint8Array): { code: string; message: string } {
  const { code, message } = decodeGuestFailure(payload);
  return { code, message };
}
