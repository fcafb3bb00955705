import { systemClock } from '#base/clock.ts';
import { resolveVmDefaults } from '#config/vm-defaults.ts';
import { composeMachines, composeRecords, type Machines, type Records } from './compose-machines.ts';
import { FsckService } from './fsck/fsck-service.ts';
import type { Ground, Parts } from './ground.ts';
import { hostSize } from './host/host-size.ts';
import { chooseHostPorts } from './network/choose-host-ports.ts';
import { chooseHostAddress } from './network/host-address.ts';
import { LostNetworks } from './network/lost-networks.ts';
import { PortService } from './network/port-service.ts';
import { OperationRegistry } from './operation/operation-registry.ts';
import { HostAddresses } from './vm/host-addresses.ts';
import { MachineChanges, stoppedDiskOf } from './vm/machine-changes.ts';
import { MachineWatch } from './vm/machine-watch.ts';
import { reconcile, reconcileVm, removeUnknownVm } from './vm/reconcile.ts';
import { StalledMachines } from './vm/stalled-machines.ts';
import type { Failpoint } from './vm/run-steps.ts';
import { VmLifecycle, type VmLifecycleOptions } from './vm/vm-lifecycle.ts';
import { KeyedLocks } from './vm/vm-locks.ts';
import { VmService } from './vm/vm-service.ts';

/** The VMs and everything that looks after them, in the order in which one needs the other. */
export function composeVms(ground: Ground, parts: Parts, failpoint: Failpoint) {
  const { layout, log } = ground;
  const { images } = parts;
  const clock = systemClock;
  const records = composeRecords(ground);
  const { registry, handles } = records;
  const machines = composeMachines(ground, parts, records);
  const { runner, sessions, capabilities, forwards } = machines;
  const addresses = new HostAddresses(registry, chooseHostAddress);
  const operations = new OperationRegistry({ log });
  const locks = new KeyedLocks();
  const { lifecycle, watch } = composeLifecycle(ground, parts, {
    ...records,
    ...machines,
    addresses,
    failpoint,
    onExit: (id) => vms.settleExit(id),
  });
  const host = hostSize();
  const vms: VmService = new VmService({
    registry,
    runner,
    lifecycle,
    sessions,
    handles,
    locks,
    operations,
    images,
    chooseHostPorts: (exposed) =>
      chooseHostPorts(
        exposed,
        registry.list().flatMap(({ published }) => published),
      ),
    changes: { capabilities, failpoint, ...composeDiskOwners(parts, machines) },
    host,
    defaults: resolveVmDefaults(ground.config.vmDefaults, host),
    vmsDir: layout.vmsDir,
    clock,
  });
  const onInterruptedStop = (id: string) => vms.finishStop(id);
  const upkeepParts = { ...records, ...machines, addresses, locks, watch, onInterruptedStop };
  const upkeep = composeUpkeep(ground, parts, upkeepParts);
  const ports = new PortService({ vms, records: registry, locks, forwards });
  return { ...records, ...machines, ...upkeep, vms, locks, operations, watch, ports };
}

export type Vms = ReturnType<typeof composeVms>;

interface UpkeepParts extends Records, Machines {
  addresses: HostAddresses;
  locks: KeyedLocks;
  watch: MachineWatch;
  onInterruptedStop: (id: string) => void;
}

/** What compares records with what really is, at start and later. */
function composeUpkeep(ground: Ground, { drivers, images }: Parts, parts: UpkeepParts) {
  const { layout, log } = ground;
  const { registry, handles, runner, capabilities, addresses, locks, watch, onInterruptedStop } = parts;
  const isBusy = (id: string) => locks.isHeld(id);
  const recovery = {
    ...{ registry, runner, capabilities, addresses, handles, layout, clock: systemClock, log },
    onRunning: (id: string) => watch.watch(id),
    onInterruptedStop,
  };
  return {
    reconcile: () => reconcile(recovery),
    lostNetworks: new LostNetworks({ registry, handles, isBusy, log }),
    stalled: new StalledMachines({
      registry,
      handles,
      hypervisor: drivers.hypervisor,
      isBusy,
      hasRoom: () => ground.reserve.leavesRoom(),
      log,
    }),
    fsck: new FsckService({
      registry,
      runner,
      handles,
      drivers,
      layout,
      locks,
      artifacts: images,
      settle: (record) => reconcileVm(record, recovery),
      removeUnknown: (id) => removeUnknownVm(id, recovery),
      log,
    }),
  };
}

/** What changes machines that run, and disks of those that do not. */
function composeDiskOwners({ drivers: { hypervisor, disk } }: Parts, machines: Machines) {
  const { runner, sessions } = machines;
  return {
    running: new MachineChanges({ hypervisor, runner, sessions }),
    stopped: stoppedDiskOf(disk, runner),
  };
}

interface LifecycleParts extends Pick<
  VmLifecycleOptions,
  'registry' | 'runner' | 'sessions' | 'addresses' | 'failpoint'
> {
  onExit: (id: string) => Promise<void>;
}

/** The operations on machines, and what notices that one ended by itself. */
function composeLifecycle({ log }: Ground, { drivers, images }: Parts, parts: LifecycleParts) {
  const { registry, runner, sessions, addresses, failpoint, onExit } = parts;
  const watch = new MachineWatch({ waitForExit: (id, wait) => runner.waitForExit(id, wait), onExit, log });
  const lifecycle = new VmLifecycle({
    registry,
    runner,
    sessions,
    disk: drivers.disk,
    addresses,
    kernelFiles: (id) => images.getKernel(id),
    clock: systemClock,
    log,
    failpoint,
    onRunning: (id) => watch.watch(id),
  });
  return { lifecycle, watch };
}
