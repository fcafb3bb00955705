import { rm } from 'node:fs/promises';
import { systemClock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { MiB } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { Qcow2Disks } from '#disk/qcow2/qcow2-disks.ts';
import type { GuestLink } from '#guest/link.ts';
import { VirtioSerialLink } from '#guest/virtio-serial/virtio-serial-link.ts';
import { hostCpus, hostMemoryBytes } from '#host/capabilities.ts';
import { findProgram } from '#host/find-program.ts';
import type { StartFailure } from '#host/ready-pipe.ts';
import { QemuHypervisor } from '#hypervisor/qemu/qemu-hypervisor.ts';
import { UserNetwork } from '#network/user/user-network.ts';
import { openDatabase, type Database } from '#store/database.ts';
import { InstanceLock } from '#store/instance-lock.ts';
import { VmRepository } from '#store/vm-repository.ts';
import { readConfig, type Config } from './config.ts';
import { HostService } from './host/host-service.ts';
import { HttpServer } from './http/server.ts';
import type { Services } from './http/services.ts';
import { ImageService } from './image/image-service.ts';
import { findInstallation, type Installation } from './installation.ts';
import { createLogger } from './logger.ts';
import { OperationRegistry } from './operation/operation-registry.ts';
import { prepareFolders } from './runtime-folders.ts';
import { AgentSessions } from './vm/agent-sessions.ts';
import { HandleCache } from './vm/handles.ts';
import { MachineRunner, type Drivers } from './vm/machine-runner.ts';
import { MachineWatch } from './vm/machine-watch.ts';
import { reconcile } from './vm/reconcile.ts';
import type { Failpoint } from './vm/run-steps.ts';
import { VmLifecycle } from './vm/vm-lifecycle.ts';
import { KeyedLocks } from './vm/vm-locks.ts';
import { VmRegistry } from './vm/vm-registry.ts';
import { VmService } from './vm/vm-service.ts';

export interface DaemonOptions {
  environment: NodeJS.ProcessEnv;
  home: string;
  /** `import.meta.url` of the program. */
  entryUrl: string;
  /** Other parts than this host's own: tests. */
  replaceParts?: (ground: Ground) => Parts;
  /** Called before and after each lifecycle step: tests crash here. */
  failpoint?: Failpoint;
}

/** What everything else stands on. */
export interface Ground {
  layout: Layout;
  config: Config;
  installation: Installation;
  database: Database;
  log: Logger;
  /** `PATH` of the daemon. */
  searchPath: string;
}

/** The parts that touch the host. */
export interface Parts {
  drivers: Drivers;
  link: GuestLink;
  images: ImageService;
}

export interface RunningDaemon {
  /** Begins to shut down; VMs go on. */
  requestShutdown(): void;
  /** Resolves when the daemon has shut down. */
  finished: Promise<void>;
}

const PRUNE_INTERVAL_MS = 60_000;
const KEEP_OPERATIONS_MS = 15 * 60_000;

/**
 * Builds the daemon and serves until it is asked to stop.
 *
 * @throws UserError `DAEMON_ALREADY_RUNNING`, `STATE_FOLDER_UNUSABLE`, `CONFIG_INVALID`, `STORE_UNREADABLE`, `STORE_TOO_NEW`
 */
export async function runDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  await using build = new AsyncDisposableStack();
  const ground = await layGround(options, build);
  const parts = (options.replaceParts ?? ownParts)(ground);
  const shutdown = Promise.withResolvers<void>();
  const vmParts = composeVms(ground, parts, options.failpoint ?? (() => {}));
  build.defer(() => vmParts.sessions.closeAll());
  build.defer(() => vmParts.watch.close());

  await parts.images.removeLeftovers();
  await vmParts.reconcile();

  const { vms, operations } = vmParts;
  const services: Services = {
    vms,
    operations,
    images: {
      list: async () => ({ images: parts.images.listImages(), available: parts.images.listAvailable() }),
    },
    kernels: { list: async () => parts.images.listKernels() },
    host: composeHost(ground, parts, vms),
    requestShutdown: shutdown.resolve,
  };
  const server = new HttpServer({ services, log: ground.log });
  build.defer(() => server.close());
  await rm(ground.layout.socketPath, { force: true }); // stale: this process holds the instance lock
  await server.listen(ground.layout.socketPath);
  build.defer(() => operations.close()); // before the server, so that watchers hear how it ended
  const pruning = setInterval(() => operations.prune(KEEP_OPERATIONS_MS), PRUNE_INTERVAL_MS);
  build.defer(() => clearInterval(pruning));

  const running = build.move();
  const finished = shutdown.promise.then(async () => {
    ground.log.info({}, 'shutting down; VMs go on');
    await running.disposeAsync();
  });
  return { requestShutdown: shutdown.resolve, finished };
}

/** What a start that failed is told to whoever waits for it. */
export function startFailure(error: unknown): StartFailure {
  if (error instanceof UserError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'INTERNAL', message: `Cannot start the daemon: ${messageOf(error)}` };
}

async function layGround(options: DaemonOptions, build: AsyncDisposableStack): Promise<Ground> {
  const uid = process.getuid?.() ?? 0;
  const layout = resolveLayout(options.environment, uid, options.home);
  await prepareFolders(layout, uid);
  // Both, because another state folder may share the runtime folder, and with it the socket.
  for (const folder of [layout.stateDir, layout.runtimeDir])
    build.use(InstanceLock.acquire(`${folder}/bangerd.lock`));
  const config = await readConfig(layout.configDir, options.environment);
  const database = openDatabase(layout.databasePath);
  build.defer(() => database.close());
  const log = createLogger(config.logLevel);
  const installation = findInstallation(options.entryUrl);
  return { layout, config, installation, database, log, searchPath: options.environment['PATH'] ?? '' };
}

function ownParts({ layout, config, installation, database, log }: Ground): Parts {
  const kvmOverride = config.accelerator === 'auto' ? undefined : (`force-${config.accelerator}` as const);
  return {
    drivers: {
      hypervisor: new QemuHypervisor({
        tscHelperPath: installation.tscProbePath,
        cacheDir: layout.cacheDir,
        kvmOverride,
      }),
      disk: new Qcow2Disks(),
      network: new UserNetwork({ guardPath: installation.netGuardPath }),
    },
    link: new VirtioSerialLink(),
    images: new ImageService({
      layout,
      database,
      log,
      clock: systemClock,
      agentPath: installation.agentPath,
    }),
  };
}

function composeVms(ground: Ground, { drivers, link, images }: Parts, failpoint: Failpoint) {
  const { layout, log } = ground;
  const clock = systemClock;
  const registry = new VmRegistry(new VmRepository(ground.database));
  const handles = new HandleCache(layout.vmsDir);
  const operations = new OperationRegistry({ log });
  const sessions = new AgentSessions({ link, log, onConnected: () => registry.announce() });
  const { agentTimeoutMs, lifelessAfterMs } = ground.config;
  const runner = new MachineRunner({
    drivers,
    handles,
    sessions,
    layout,
    clock,
    agentTimeoutMs,
    lifelessAfterMs,
  });
  const watch = new MachineWatch({
    waitForExit: (id, wait) => runner.waitForExit(id, wait),
    onExit: (id) => vms.settleExit(id),
    log,
  });
  const onRunning = (id: string) => watch.watch(id);
  const kernelFiles = (id: string) => images.getKernel(id);
  const { disk } = drivers;
  const lifecycle = new VmLifecycle({
    registry,
    runner,
    sessions,
    disk,
    kernelFiles,
    clock,
    log,
    failpoint,
    onRunning,
  });
  const locks = new KeyedLocks();
  const host = { cpus: hostCpus(), memoryMiB: Math.floor(hostMemoryBytes() / MiB) };
  const { vmsDir } = layout;
  const vms: VmService = new VmService({
    registry,
    runner,
    lifecycle,
    sessions,
    handles,
    locks,
    operations,
    images,
    host,
    vmsDir,
    clock,
  });
  return {
    vms,
    operations,
    sessions,
    watch,
    reconcile: () => reconcile({ registry, runner, handles, layout, clock, log, onRunning }),
  };
}

function composeHost(
  { layout, searchPath }: Ground,
  { drivers, images }: Parts,
  vms: VmService,
): HostService {
  const countVms = () => {
    const all = vms.list();
    return { total: all.length, running: all.filter(({ state }) => state === 'running').length };
  };
  const find = (name: string) => findProgram(name, searchPath);
  return new HostService({ drivers, layout, images, clock: systemClock, countVms, findProgram: find });
}
