import { withTimeout, type Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type {
  PublishedPortState,
  PublishPortRequest,
  UnpublishPortQuery,
  VmPorts,
} from '#contract/owner/port.ts';
import type { PublishedPort, Vm } from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { PortHandlers } from '../http/services.ts';
import { groupListeners } from './guest-listeners.ts';
import type { PortForwards } from './port-forwards.ts';
import { arePortsInConflict, formatHostPort, refuseConflict, refuseOccupied } from './published-ports.ts';
import { SchemeGuesses } from './scheme-guesses.ts';
import { viewPorts, viewPublished } from './view-ports.ts';
import type { VmForwards } from './vm-forwards.ts';

export interface PortServiceOptions {
  vms: {
    get(reference: string): Vm;
    agent(reference: string, options: Abortable): Promise<AgentClient>;
  };
  records: {
    list(): VmRecord[];
    get(id: string): VmRecord;
    change(id: string, change: Pick<VmRecord, 'published'>): VmRecord;
  };
  locks: { run<T>(id: string, body: () => Promise<T>, options: Abortable): Promise<T> };
  forwards: PortForwards;
}

const DEFAULT_ADDRESS = '127.0.0.1';
const MAX_PUBLISHED = 64;
const ANSWER_MS = 5000;

/** What the ports of VMs are, and which ones the host gives them. */
export class PortService implements PortHandlers {
  readonly #options: PortServiceOptions;
  readonly #guesses = new WeakMap<VmForwards, SchemeGuesses>();
  /** Being published now, by the id of their VM: checked, but not stored yet. */
  readonly #pending = new Map<PublishedPort, string>();

  constructor(options: PortServiceOptions) {
    this.#options = options;
  }

  async list(reference: string, { signal }: Abortable): Promise<VmPorts> {
    const { vms } = this.#options;
    const vm = vms.get(reference);
    const forwards = this.#options.forwards.find(vm.id);
    if (vm.state !== 'running' || !forwards) {
      return viewPorts({ vm, forwards: undefined, listeners: [], schemes: new Map() });
    }
    const agent = await vms.agent(vm.id, { signal });
    const ports = await agent.ports({ signal: withTimeout(ANSWER_MS, signal) });
    await forwards.observe(ports);
    const listeners = groupListeners(ports);
    const schemes = await this.#guessesOf(forwards).of(listeners, agent);
    return viewPorts({ vm, forwards, listeners, schemes });
  }

  async publish(
    reference: string,
    request: PublishPortRequest,
    options: Abortable,
  ): Promise<PublishedPortState[]> {
    const { hostAddress = DEFAULT_ADDRESS, hostPort, guestPort, protocol = 'tcp' } = request;
    const port: PublishedPort = { hostAddress, hostPort, guestPort, protocol };
    try {
      const vm = await this.#change(reference, (record) => this.#withPort(record, port), options);
      return [viewPublished(port, vm, this.#options.forwards.find(vm.id))];
    } finally {
      this.#pending.delete(port);
    }
  }

  async unpublish(
    reference: string,
    { hostPort, hostAddress, protocol = 'tcp' }: UnpublishPortQuery & { hostPort: number },
    options: Abortable,
  ): Promise<PublishedPortState[]> {
    const isMeant = (port: PublishedPort) =>
      port.hostPort === hostPort &&
      port.protocol === protocol &&
      (hostAddress === undefined || port.hostAddress === hostAddress);
    let removed: PublishedPort[] = [];
    const remove = async ({ name, published }: VmRecord) => {
      removed = published.filter(isMeant);
      if (removed.length === 0) throw notPublished(name, { hostPort, hostAddress, protocol });
      return published.filter((port) => !isMeant(port));
    };
    const vm = await this.#change(reference, remove, options);
    return removed.map((port) => ({ ...port, active: false, reason: `"${vm.name}" publishes it no more` }));
  }

  /** Under the VM's lock; nothing is stored when `change` throws. */
  async #change(
    reference: string,
    change: (vm: VmRecord) => Promise<PublishedPort[]>,
    options: Abortable,
  ): Promise<VmRecord> {
    const { vms, records, locks, forwards } = this.#options;
    const { id } = vms.get(reference);
    const body = async () => {
      const before = records.get(id);
      const after = records.change(id, { published: await change(before) });
      await forwards.applyChange(before, after);
      return after;
    };
    return locks.run(id, body, options);
  }

  async #withPort(record: VmRecord, port: PublishedPort): Promise<PublishedPort[]> {
    const { id, name, published } = record;
    const same = published.find((one) => arePortsInConflict(one, port));
    if (same?.guestPort === port.guestPort && same.hostAddress === port.hostAddress) return published;
    const action = `publish port ${port.guestPort} of "${name}"`;
    refuseConflict(port, this.#publishers(), action);
    if (published.length >= MAX_PUBLISHED) throw tooMany(name);
    this.#pending.set(port, id);
    await refuseOccupied(port, action);
    return [...published, port];
  }

  /** Together with those that are about to publish. */
  #publishers(): Pick<VmRecord, 'id' | 'name' | 'published'>[] {
    const pending = [...this.#pending];
    return this.#options.records.list().map(({ id, name, published }) => ({
      id,
      name,
      published: [...published, ...pending.flatMap(([port, owner]) => (owner === id ? [port] : []))],
    }));
  }

  #guessesOf(forwards: VmForwards): SchemeGuesses {
    const guesses = this.#guesses.get(forwards) ?? new SchemeGuesses();
    this.#guesses.set(forwards, guesses);
    return guesses;
  }
}

function tooMany(name: string): UserError {
  return new UserError(
    'INVALID_ARGUMENT',
    `Cannot publish another port of "${name}": it has ${MAX_PUBLISHED}`,
    {
      hint: `give one up: banger vm ports ${name}`,
    },
  );
}

function notPublished(name: string, port: UnpublishPortQuery & { hostPort: number }): UserError {
  const { hostAddress, hostPort, protocol } = port;
  const what =
    hostAddress === undefined
      ? `${hostPort}/${protocol}`
      : formatHostPort({ hostAddress, hostPort, guestPort: 0, protocol: protocol ?? 'tcp' });
  return new UserError(
    'PORT_NOT_PUBLISHED',
    `Cannot unpublish port ${what} of "${name}": it is not published`,
    {
      hint: `see what is: banger vm ports ${name}`,
    },
  );
}
