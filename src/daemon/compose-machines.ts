import { systemClock } from '#base/clock.ts';
import { VmNameServer } from '#dns/vm-name-server.ts';
import { EventRepository } from '#store/event-repository.ts';
import { VmRepository } from '#store/vm-repository.ts';
import { createActivity } from './compose-usage.ts';
import { EventJournal } from './event/event-journal.ts';
import type { Ground, Parts } from './ground.ts';
import { DnsCapability } from './network/dns-capability.ts';
import { PortForwards } from './network/port-forwards.ts';
import { AgentSessions } from './vm/agent-sessions.ts';
import { Capabilities } from './vm/capabilities.ts';
import { HandleCache } from './vm/handles.ts';
import { MachineRunner } from './vm/machine-runner.ts';
import { RunCapability } from './vm/run-capability.ts';
import { VmRegistry } from './vm/vm-registry.ts';

/** How long who connects to a port waits for an agent that is (re)connecting. */
const AGENT_WAIT_MS = 10_000;

/** What is written down of VMs. */
export function composeRecords({ layout, database, reserve, log }: Ground) {
  const events: EventJournal = new EventJournal({
    repository: new EventRepository(database),
    clock: systemClock,
    log,
    resolveVm: (reference) => registry.resolve(reference).id,
  });
  const registry = new VmRegistry(new VmRepository(database, () => reserve.release()), {
    onChange: (news) => events.record(news),
  });
  return { events, registry, handles: new HandleCache(layout.vmsDir), activity: createActivity(registry) };
}

export type Records = ReturnType<typeof composeRecords>;

/** What runs machines, and what they have on the host. */
export function composeMachines(ground: Ground, { drivers, link }: Parts, records: Records) {
  const { layout, log, config } = ground;
  const { registry, handles, activity } = records;
  const sessions: AgentSessions = new AgentSessions({
    link,
    log,
    onConnected: (id, agent) => {
      registry.announce();
      run.connected(registry.find(id), agent);
    },
  });
  const run = new RunCapability({ findAgent: (id) => sessions.find(id), log });
  const names = new VmNameServer({ log, port: config.dnsPort });
  const forwards = new PortForwards({
    agent: (id, options) => sessions.get(id, AGENT_WAIT_MS, options),
    onUse: (id) => activity.touch(id),
    log,
  });
  const capabilities = new Capabilities([new DnsCapability(names), forwards, run]);
  const { agentTimeoutMs, lifelessAfterMs } = config;
  const runner = new MachineRunner({
    drivers,
    handles,
    sessions,
    capabilities,
    layout,
    clock: systemClock,
    agentTimeoutMs,
    lifelessAfterMs,
  });
  return { sessions, names, forwards, capabilities, runner };
}

export type Machines = ReturnType<typeof composeMachines>;
