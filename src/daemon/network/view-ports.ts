import type { GuestPort, PortScheme, PublishedPortState, VmPorts } from '#contract/owner/port.ts';
import type { PublishedPort, Vm } from '#contract/owner/vm.ts';
import { targetOf, type GuestListener } from './guest-listeners.ts';
import { MAX_FORWARDS, type VmForwards } from './vm-forwards.ts';

/** The part of {@link VmForwards} that is shown. */
type ForwardStates = Pick<VmForwards, 'automaticState' | 'publishedState'>;

export interface PortFacts {
  vm: Vm;
  /** Undefined unless the VM runs. */
  forwards: ForwardStates | undefined;
  listeners: readonly GuestListener[];
  schemes: ReadonlyMap<number, PortScheme>;
}

export function viewPorts(facts: PortFacts): VmPorts {
  const { vm, forwards, listeners } = facts;
  const published = vm.published.map((port) => viewPublished(port, vm, forwards));
  return {
    id: vm.id,
    vm: vm.name,
    state: vm.state,
    ...(vm.hostAddress !== undefined && { hostAddress: vm.hostAddress }),
    ports: listeners.map((listener) => viewListener(listener, published, facts)),
    published,
  };
}

export function viewPublished(
  port: PublishedPort,
  { state }: Pick<Vm, 'state'>,
  forwards: ForwardStates | undefined,
): PublishedPortState {
  if (!forwards) return { ...port, active: false, reason: `the VM is ${state}` };
  return { ...port, ...forwards.publishedState(port) };
}

function viewListener(
  listener: GuestListener,
  published: readonly PublishedPortState[],
  { vm, forwards, schemes }: PortFacts,
): GuestPort {
  const { protocol, port, addresses, pid, processName } = listener;
  const scheme = protocol === 'tcp' ? schemes.get(port) : undefined;
  const reached = published.filter(
    (one) => one.active && one.protocol === protocol && one.guestPort === port,
  );
  const reason = whyNot(listener, vm, forwards);
  return {
    protocol,
    port,
    addresses: [...addresses],
    ...(pid !== undefined && { process: { pid, ...(processName !== undefined && { name: processName }) } }),
    ...(reason === undefined
      ? { endpoint: `${vm.hostAddress}:${port}`, name: `${vm.name}.vm:${port}` }
      : { reason }),
    ...(scheme && { scheme }),
    published: reached.map(({ hostAddress, hostPort }) => `${hostAddress}:${hostPort}`),
  };
}

/** Undefined when it is reachable at the VM's own address. */
function whyNot(listener: GuestListener, vm: Vm, forwards: ForwardStates | undefined): string | undefined {
  if (vm.hostAddress === undefined) return 'the VM has no network';
  if (!targetOf(listener)) return `it listens on ${listener.addresses.join(', ')} alone`;
  if (listener.protocol === 'udp') return 'UDP is reachable where it is published';
  const state = forwards?.automaticState(listener.port);
  if (!state) return `more than ${MAX_FORWARDS} ports are open`;
  return state.active ? undefined : state.reason;
}
