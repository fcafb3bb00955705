import { UserError } from '#contract/errors.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';

/**
 * A client of another build is refused; one that names none (curl) is served.
 *
 * @throws UserError `DAEMON_VERSION_MISMATCH`
 */
export function refuseOtherBuild(headers: Readonly<Record<string, string | string[] | undefined>>): void {
  const client = headers[BUILD_HEADER];
  const daemon = buildLabel();
  if (client === undefined || client === daemon) return;
  throw new UserError(
    'DAEMON_VERSION_MISMATCH',
    `Cannot serve "${String(client)}": the daemon is "${daemon}"`,
    {
      hint: '`banger daemon stop`, then try again; VMs keep running',
      details: { client, daemon },
    },
  );
}
