import { isTimeout, withTimeout, type Abortable } from '#base/abort.ts';
import { newVmId } from '#base/ids.ts';
import type { NameServerStatus } from '#dns/vm-name-server.ts';
import { pass, warn, type Check, type Verdict } from './check.ts';
import { parseResolvedScopes } from './resolved-scopes.ts';

export interface DnsCheckOptions {
  names: {
    status(): NameServerStatus;
    set(name: string, address: string): void;
    remove(name: string): void;
  };
  /** As programs look names up; no addresses: not found. */
  lookUpHost: (name: string, options: Abortable) => Promise<string[]>;
  /** What `resolvectl` prints; undefined where systemd-resolved does not run. */
  resolvectl: (verb: 'dns' | 'domain', options: Abortable) => Promise<string | undefined>;
}

/** No VM gets the last address of the block. */
const PROBE_ADDRESS = '127.77.255.255';
const LOOKUP_TIMEOUT_MS = 3000;

/** Whether names of VMs are served, and whether programs on this host find them. */
export function dnsChecks(options: DnsCheckOptions): Check[] {
  return [
    { name: 'dns-port', examine: () => judgePort(options.names.status()) },
    { name: 'resolver', examine: ({ signal }) => examineResolver(options, signal) },
  ];
}

function judgePort(status: NameServerStatus): Verdict {
  const where = placeOf(status);
  if (status.listening) return pass(`names of VMs are served on ${where}`);
  const port = status.port === 65_535 ? status.port - 1 : status.port + 1;
  return warn(
    `names of VMs are not served: ${status.reason}`,
    `end what has port ${status.port}, or: banger config set dns_port ${port} && banger daemon stop`,
  );
}

async function examineResolver(
  { names, lookUpHost, resolvectl }: DnsCheckOptions,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  const status = names.status();
  if (!status.listening)
    return warn('programs do not find NAME.vm: it is not served', 'see the row dns-port');
  const bound = withTimeout(LOOKUP_TIMEOUT_MS, signal);
  if (await isProbeFound(names, (name) => lookUpHost(name, { signal: bound }))) {
    return pass('programs on this host find NAME.vm');
  }
  const [servers, domains] = await Promise.all([
    resolvectl('dns', { signal }),
    resolvectl('domain', { signal }),
  ]);
  if (servers === undefined || domains === undefined) return judgeUnknownResolver(status);
  return judgeResolved(placeOf(status), parseResolvedScopes(servers), parseResolvedScopes(domains));
}

/** A name that only this daemon can know: finding it proves the whole way. */
async function isProbeFound(
  names: DnsCheckOptions['names'],
  lookUp: (name: string) => Promise<string[]>,
): Promise<boolean> {
  const name = `doctor-${newVmId()}`;
  names.set(name, PROBE_ADDRESS);
  try {
    return (await lookUp(`${name}.vm.`)).includes(PROBE_ADDRESS);
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  } finally {
    names.remove(name);
  }
}

function judgeUnknownResolver(status: NameServerStatus): Verdict {
  return warn(
    `programs on this host do not find NAME.vm: .vm is not sent to ${placeOf(status)}`,
    `docs/dns.md tells how; without it: dig @${status.address} -p ${status.port} NAME.vm`,
  );
}

type Scopes = ReadonlyMap<string, readonly string[]>;

function judgeResolved(place: string, servers: Scopes, domains: Scopes): Verdict {
  const routes = [...domains].filter(([, words]) => words.some((word) => /^~?vm\.?$/i.test(word)));
  const targets = routes.flatMap(([scope]) => servers.get(scope) ?? []);
  if (targets.includes(place)) {
    return warn(
      `systemd-resolved sends .vm to ${place}, and programs do not find NAME.vm all the same`,
      'let them ask it: sudo ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf',
    );
  }
  const where = targets.length > 0 ? `sends .vm to ${targets.join(' ')}` : 'does not know .vm';
  return warn(
    `programs on this host do not find NAME.vm: systemd-resolved ${where}`,
    `write "[Resolve]", "DNS=${place}" and "Domains=~vm" to /etc/systemd/resolved.conf.d/banger.conf, then: sudo systemctl restart systemd-resolved`,
  );
}

function placeOf({ address, port }: NameServerStatus): string {
  return `${address}:${port}`;
}
