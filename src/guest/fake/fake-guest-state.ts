import { randomUUID } from 'node:crypto';
import type { AgentHello } from '#contract/guest/hello.ts';
import type { ListeningPort } from '#contract/guest/port-messages.ts';
import type { PowerOffOrder } from '#contract/guest/power-off-messages.ts';
import type { GuestIdentity } from '#contract/guest/machine-messages.ts';
import type { GuestStats } from '#contract/guest/stats-messages.ts';
import { listenerPrograms } from './fake-ports.ts';
import { FakeCommands } from './fake-commands.ts';
import { standardPrograms } from './fake-program.ts';
import type { FakeProgram } from './fake-program.ts';
import { FakeService } from './fake-service.ts';
import { findProgram } from './find-program.ts';

/** What a fake guest is and what has become of it. Tests change it and look at it; it outlives sessions. */
export interface FakeGuestState {
  hello: AgentHello;
  programs: Map<string, FakeProgram>;
  ports: ListeningPort[];
  stats: GuestStats;
  /** Archives by the folder they were unpacked into; `tar-out` of that folder gives them back. */
  archives: Map<string, Buffer>;
  commands: FakeCommands;
  service: FakeService;
  identity: GuestIdentity;
  /** Size of the root file system. */
  rootBytes: number;
  syncs: number;
  /** The clock that the last greeting brought. */
  wallClockNs: bigint | undefined;
  poweredOff: boolean;
  /** Called when the guest powers off, as the hypervisor would notice. */
  onPowerOff: (request: PowerOffOrder) => void;
  /** Takes what the service writes, as the hypervisor would. */
  onConsole: (bytes: Uint8Array | string) => void;
}

export function newFakeGuestState(): FakeGuestState {
  const ports: ListeningPort[] = [
    { protocol: 'tcp', address: '0.0.0.0', port: 22, inode: 1, pid: 400, processName: 'sshd' },
  ];
  const state: FakeGuestState = {
    hello: {
      generation: 1,
      bootId: randomUUID(),
      agentVersion: '0.0.0-fake',
      init: 'systemd',
      kernelRelease: '6.1.0-fake',
      readyUptimeMs: 1200,
      lowestGeneration: 1,
      highestGeneration: 1,
    },
    programs: new Map([...standardPrograms(), ...listenerPrograms(ports)]),
    ports,
    stats: idleStats(),
    archives: new Map(),
    commands: new FakeCommands(),
    service: new FakeService({
      findProgram: (name) => findProgram(name, state.programs),
      onConsole: (bytes) => state.onConsole(bytes),
    }),
    identity: {},
    rootBytes: 8 * 2 ** 30,
    syncs: 0,
    wallClockNs: undefined,
    poweredOff: false,
    onPowerOff: () => {},
    onConsole: () => {},
  };
  return state;
}

function idleStats(): GuestStats {
  return {
    loadAverage: [0.5, 0.25, 0.1],
    memory: {
      totalBytes: 512 * 2 ** 20,
      freeBytes: 300 * 2 ** 20,
      availableBytes: 400 * 2 ** 20,
      cachedBytes: 60 * 2 ** 20,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
    },
    uptimeMs: 5000,
    processes: 42,
    cpuTicks: { user: 10, nice: 0, system: 20, idle: 900, iowait: 1, irq: 0, softirq: 1, steal: 0 },
    disks: [
      { mountPoint: '/', totalBytes: 8 * 2 ** 30, freeBytes: 7 * 2 ** 30, availableBytes: 7 * 2 ** 30 },
    ],
    networks: [{ name: 'eth0', receivedBytes: 1000, sentBytes: 2000, receivedPackets: 10, sentPackets: 20 }],
  };
}
