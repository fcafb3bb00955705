import { UserError } from '#contract/errors.ts';
import type { PublishedPort } from '#contract/owner/vm.ts';
import type { VmRecord } from '#store/vm-repository.ts';

import { explainHostPort } from './host-port-error.ts';
import { listenOnce } from './listen-once.ts';

type Publisher = Pick<VmRecord, 'id' | 'name' | 'published'>;

const ANY_ADDRESS = '0.0.0.0';

/** Whether only one of the two can be had. */
export function arePortsInConflict(one: PublishedPort, other: PublishedPort): boolean {
  if (one.protocol !== other.protocol || one.hostPort !== other.hostPort) return false;
  return one.hostAddress === other.hostAddress || [one.hostAddress, other.hostAddress].includes(ANY_ADDRESS);
}

/** `127.0.0.1:8080`, with `/udp` for what is not TCP. */
export function formatHostPort({ hostAddress, hostPort, protocol }: PublishedPort): string {
  return `${hostAddress}:${hostPort}${protocol === 'tcp' ? '' : `/${protocol}`}`;
}

/** @throws UserError `PORT_TAKEN` when a VM has published it; `action` continues "Cannot …" */
export function refuseConflict(port: PublishedPort, publishers: readonly Publisher[], action: string): void {
  const holder = publishers.find(({ published }) => published.some((one) => arePortsInConflict(one, port)));
  if (!holder) return;
  throw new UserError(
    'PORT_TAKEN',
    `Cannot ${action}: port ${formatHostPort(port)} of the host is published by "${holder.name}"`,
    {
      hint: `choose another port, or give it up there: banger vm unpublish ${holder.name} ${port.hostPort}${port.protocol === 'udp' ? '/udp' : ''}`,
      details: { port: formatHostPort(port), vm: holder.name },
    },
  );
}

/** Listens there for a moment. @throws UserError `PORT_TAKEN`, `PORT_NOT_ALLOWED`, `INVALID_ARGUMENT`; `action` continues "Cannot …" */
export async function refuseOccupied(port: PublishedPort, action: string): Promise<void> {
  const host = { address: port.hostAddress, port: port.hostPort };
  try {
    await listenOnce(port.protocol, host);
  } catch (error) {
    const failure = explainHostPort(error, host);
    if (!failure) throw error;
    throw new UserError(failure.code, `Cannot ${action}: port ${formatHostPort(port)}: ${failure.reason}`, {
      hint: failure.hint,
      details: { port: formatHostPort(port) },
      cause: error,
    });
  }
}
