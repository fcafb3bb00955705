import { UserError } from '#contract/errors.ts';
import type { PublishPortRequest, UnpublishPortQuery } from '#contract/owner/port.ts';
import type { PortProtocol } from '#contract/owner/vm.ts';

const PUBLISH = /^(?:(\d{1,3}(?:\.\d{1,3}){3}):)?(\d+):(\d+)(?:\/(tcp|udp))?$/;
const UNPUBLISH = /^(?:(\d{1,3}(?:\.\d{1,3}){3}):)?(\d+)(?:\/(tcp|udp))?$/;

/** `[ADDRESS:]HOST:GUEST[/tcp|/udp]`. What is left out is the daemon's to choose. */
export function parsePublishSpec(text: string): PublishPortRequest {
  const [, address, host, guest, protocol] = PUBLISH.exec(text) ?? [];
  if (host === undefined || guest === undefined) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot publish "${text}": it is not [ADDRESS:]HOST:GUEST[/tcp|/udp]`,
      {
        hint: 'write the port of the host, a colon and that of the guest: 8080:80',
      },
    );
  }
  return {
    ...common(text, address, protocol),
    hostPort: parsePort(text, host),
    guestPort: parsePort(text, guest),
  };
}

/** `[ADDRESS:]HOST[/tcp|/udp]`. */
export function parseUnpublishSpec(text: string): UnpublishPortQuery & { hostPort: number } {
  const [, address, host, protocol] = UNPUBLISH.exec(text) ?? [];
  if (host === undefined) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot unpublish "${text}": it is not [ADDRESS:]HOST[/tcp|/udp]`,
      {
        hint: 'write the port of the host, for example 8080 or 5353/udp',
      },
    );
  }
  return { ...common(text, address, protocol), hostPort: parsePort(text, host) };
}

function common(
  text: string,
  address: string | undefined,
  protocol: string | undefined,
): { hostAddress?: string; protocol?: PortProtocol } {
  if (address?.split('.').some((part) => Number(part) > 255)) {
    throw new UserError('INVALID_ARGUMENT', `Cannot use "${text}": ${address} is not an IPv4 address`);
  }
  return {
    ...(address !== undefined && { hostAddress: address }),
    ...(protocol !== undefined && { protocol: protocol as PortProtocol }),
  };
}

function parsePort(text: string, digits: string): number {
  const port = Number(digits);
  if (port >= 1 && port <= 65_535) return port;
  throw new UserError('INVALID_ARGUMENT', `Cannot use "${text}": ${digits} is not a port from 1 to 65535`);
}
