import { rm } from 'node:fs/promises';
import { systemClock } from '#base/clock.ts';
import { resolveLayout } from '#contract/layout.ts';
import { VirtioSerialLink } from '#guest/virtio-serial/virtio-serial-link.ts';
import { SpaceReserve } from '#host/space-reserve.ts';
import { authFilesOf } from '#oci/find-credentials.ts';
import { proxyOf } from '#oci/proxy.ts';
import { openDatabase } from '#store/database.ts';
import { InstanceLock } from '#store/instance-lock.ts';
import { composeDrivers } from './compose-drivers.ts';
import { readConfig } from './config.ts';
import { startBackground } from './background.ts';
import { composeIdleMemory } from './compose-idle-memory.ts';
import { composePuller } from './compose-puller.ts';
import { composeServices } from './compose-services.ts';
import { composeUsage } from './compose-usage.ts';
import { composeVms } from './compose-vms.ts';
import type { Ground, Parts } from './ground.ts';
import { HttpServer } from './http/server.ts';
import { hostArchitecture } from './image/architecture.ts';
import { CatalogBundles } from './image/bundle/catalog-bundles.ts';
import { createCatalogs } from './image/catalog/create-catalogs.ts';
import { ImageService } from './image/image-service.ts';
import { findInstallation } from './installation.ts';
import { createLogger } from './logger.ts';
import { prepareFolders } from './runtime-folders.ts';
import type { Failpoint } from './vm/run-steps.ts';

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

export interface RunningDaemon {
  /** Begins to shut down; VMs go on. */
  requestShutdown(): void;
  /** Resolves when the daemon has shut down. */
  finished: Promise<void>;
}

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
  build.defer(() => vmParts.names.close());
  build.defer(() => vmParts.forwards.close());

  await parts.images.removeLeftovers();
  await parts.images.catalogs.open();
  await vmParts.reconcile();
  await parts.images.store.removeNameless((id) => vmParts.registry.usersOf(id));
  await vmParts.names.start(); // not before: until the names are there again it would say that there are none

  const { operations } = vmParts;
  const usage = composeUsage(ground, { ...vmParts, disk: parts.drivers.disk });
  build.defer(() => vmParts.activity.writeAll());
  const { environment } = options;
  const services = composeServices(ground, parts, {
    vmParts,
    usage,
    environment,
    requestShutdown: shutdown.resolve,
  });
  const server = new HttpServer({ services, log: ground.log });
  build.defer(() => server.close());
  await rm(ground.layout.socketPath, { force: true }); // stale: this process holds the instance lock
  await server.listen(ground.layout.socketPath);
  build.defer(() => operations.close()); // before the server, so that watchers hear how it ended
  build.use(
    startBackground(ground, {
      operations,
      lostNetworks: vmParts.lostNetworks,
      stalled: vmParts.stalled,
      memory: composeIdleMemory(vmParts),
      ...usage,
    }),
  );

  const running = build.move();
  const finished = shutdown.promise.then(async () => {
    ground.log.info({}, 'shutting down; VMs go on');
    await running.disposeAsync();
  });
  return { requestShutdown: shutdown.resolve, finished };
}

async function layGround(options: DaemonOptions, build: AsyncDisposableStack): Promise<Ground> {
  const uid = process.getuid?.() ?? 0;
  const layout = resolveLayout(options.environment, uid, options.home);
  await prepareFolders(layout, uid);
  // Both, because another state folder may share the runtime folder, and with it the socket.
  for (const folder of [layout.stateDir, layout.runtimeDir])
    build.use(InstanceLock.acquire(`${folder}/bangerd.lock`));
  const config = await readConfig(layout, options.environment);
  const reserve = new SpaceReserve(`${layout.stateDir}/reserve`);
  await reserve.keep();
  const database = openDatabase(layout.databasePath, { makeRoom: () => reserve.release() });
  build.defer(() => database.close());
  const log = createLogger(config.logLevel, layout.logPath);
  const installation = findInstallation(options.entryUrl);
  const searchPath = options.environment['PATH'] ?? '';
  const authFiles = authFilesOf(options.environment, options.home);
  const proxy = proxyOf(options.environment);
  return { layout, config, installation, database, reserve, log, searchPath, authFiles, proxy };
}

function ownParts(ground: Ground): Parts {
  const { layout, config, installation, database, log, proxy } = ground;
  return {
    drivers: composeDrivers({ layout, config, installation }),
    link: new VirtioSerialLink(),
    images: new ImageService({
      layout,
      database,
      log,
      clock: systemClock,
      agentPath: installation.agentPath,
      catalogs: createCatalogs({
        sources: config.catalogs,
        cacheFolder: `${layout.cacheDir}/catalogs`,
        certificateFiles: config.registryCertificates,
        proxy,
        architecture: hostArchitecture().name,
        clock: systemClock,
      }),
      bundles: new CatalogBundles({
        cacheFolder: `${layout.cacheDir}/bundles`,
        certificateFiles: config.registryCertificates,
        proxy,
      }),
      puller: composePuller(ground),
    }),
  };
}
