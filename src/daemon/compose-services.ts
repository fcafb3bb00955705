import { lookUpHost } from '#host/name-lookup.ts';
import { runResolvectl } from '#host/systemd-resolved.ts';
import { CommandService } from './command/command-service.ts';
import { composeHost } from './compose-host.ts';
import type { Usage } from './compose-usage.ts';
import type { Vms } from './compose-vms.ts';
import type { Ground, Parts } from './ground.ts';
import { catalogCheck } from './host/catalog-check.ts';
import { dnsChecks } from './host/dns-checks.ts';
import { fsckCheck } from './host/fsck-check.ts';
import type { Services } from './http/services.ts';
import { ImageBuildService } from './image/build/image-build-service.ts';
import { BundleService } from './image/bundle/bundle-service.ts';
import { ImageActions } from './image/image-actions.ts';
import { KernelService } from './image/kernel/kernel-service.ts';
import { VmsForImages } from './vm/image-vms.ts';
import { withRunDefaults } from './vm/run-defaults.ts';

export interface ServiceParts {
  vmParts: Vms;
  usage: Usage;
  environment: NodeJS.ProcessEnv;
  requestShutdown: () => void;
}

/** What the HTTP API forwards to. */
export function composeServices(ground: Ground, parts: Parts, options: ServiceParts): Services {
  const { vmParts, usage, environment, requestShutdown } = options;
  const { images, drivers } = parts;
  const { vms, operations, events, fsck, ports, names, registry, locks, runner } = vmParts;
  const checks = [
    fsckCheck(fsck),
    catalogCheck(images.catalogs),
    ...dnsChecks({ names, lookUpHost, resolvectl: runResolvectl }),
  ];
  return {
    vms,
    operations,
    events,
    images: new ImageActions({
      images,
      operations,
      vms: new VmsForImages({ registry, locks, runner, disk: drivers.disk }),
    }),
    bundles: new BundleService({ store: images.store, listKernels: () => images.listKernels(), operations }),
    imageBuilds: new ImageBuildService({
      store: images.store,
      findKernel: (reference) => images.findKernel(reference),
      operations,
      searchPath: ground.searchPath,
    }),
    kernels: new KernelService({
      store: images.kernels,
      catalogs: images.catalogs,
      operations,
      listVms: () => registry.list(),
      listImages: () => images.listImages(),
      log: ground.log,
    }),
    fsck,
    ports,
    commands: new CommandService({
      agent: (reference, wait) => vms.agent(reference, wait),
      complete: (reference, request) => withRunDefaults(request, vms.get(reference).run),
    }),
    host: composeHost(ground, parts, { vms, checks, environment }),
    stats: usage.stats,
    activity: usage,
    requestShutdown,
  };
}
