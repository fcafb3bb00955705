import type { Abortable } from '#base/abort.ts';
import type { ProcessIdentity } from '#host/proc.ts';

export interface NetworkSpec {
  /** Id of the VM. */
  id: string;
  /** Private folder of this machine for sockets and logs; exists. */
  runtimeDir: string;
}

/** What the guest must be told; it configures itself, there is no DHCP wait. */
export interface GuestNetwork {
  /** `10.77.0.2/24` */
  address: string;
  gateway: string;
  dns: readonly string[];
  mtu: number;
  mac: string;
}

export interface NetworkAttachment {
  /** The process that carries the traffic, when there is one. */
  process?: ProcessIdentity | undefined;
  /** Unix stream socket for the hypervisor's network card. */
  socketPath: string;
  guest: GuestNetwork;
  /**
   * Resolves when packets are carried; a machine may be launched before. When it rejects, with what `attach` throws, there is
   * still something to detach. A rejection that nobody waits for is none.
   */
  ready: Promise<void>;
}

/** Port: connects a machine to the outside. */
export interface NetworkDriver {
  readonly name: string;

  /** @throws UserError `NETWORK_TOOL_MISSING` with the package to install */
  probe(options?: Abortable): Promise<{ version: string }>;

  /**
   * Prepares the network of one machine, before it is launched. When it rejects nothing is left. The signal also ends what
   * `ready` waits for.
   *
   * @throws UserError `NETWORK_TOOL_MISSING`, `NETWORK_START_FAILED` (details.stderr)
   */
  attach(spec: NetworkSpec, options?: Abortable): Promise<NetworkAttachment>;

  /** Finds what `attach` left running although no handle is known. */
  findAttachment(spec: NetworkSpec): Promise<ProcessIdentity | undefined>;

  /** All processes that carry the traffic of a machine whose runtime folder is `<folder>/<id of its VM>`. */
  listProcesses(folder: string): Promise<{ id: string; process: ProcessIdentity }[]>;

  /** Ends it and removes its files. Idempotent, also when `process` is unknown. */
  detach(spec: NetworkSpec, process?: ProcessIdentity): Promise<void>;
}
