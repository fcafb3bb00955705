import { systemErrorCode } from '#base/errors.ts';
import type { ErrorCode } from '#contract/errors.ts';
import type { HostPort } from './forward.ts';

/** Why the host does not listen somewhere, in words that end a sentence. */
export interface HostPortFailure {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly hint: string;
}

/** Undefined for an error that is not about the port. */
export function explainHostPort(error: unknown, { address, port }: HostPort): HostPortFailure | undefined {
  switch (systemErrorCode(error)) {
    case 'EADDRINUSE':
      return {
        code: 'PORT_TAKEN',
        reason: `something on the host listens on port ${port} already`,
        hint: `see which: ss -ltnup 'sport = :${port}'`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'PORT_NOT_ALLOWED',
        reason: `the host keeps port ${port} for root`,
        hint: `lower the limit: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
      };
    case 'EADDRNOTAVAIL':
      return {
        code: 'INVALID_ARGUMENT',
        reason: `the host has no address ${address}`,
        hint: 'see which it has: ip -brief address',
      };
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
      return {
        code: 'PORT_TAKEN',
        reason: 'the host has no room for another socket',
        hint: 'raise the limit of open files: ulimit -n',
      };
    default:
      return undefined;
  }
}
