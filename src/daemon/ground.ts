import type { Logger } from '#base/log.ts';
import type { Layout } from '#contract/layout.ts';
import type { GuestLink } from '#guest/link.ts';
import type { Proxy } from '#oci/proxy.ts';
import type { SpaceReserve } from '#host/space-reserve.ts';
import type { Database } from '#store/database.ts';
import type { Config } from './config.ts';
import type { ImageService } from './image/image-service.ts';
import type { Installation } from './installation.ts';
import type { Drivers } from './vm/machine-runner.ts';

/** What everything else stands on. */
export interface Ground {
  layout: Layout;
  config: Config;
  installation: Installation;
  database: Database;
  reserve: SpaceReserve;
  log: Logger;
  /** `PATH` of the daemon. */
  searchPath: string;
  /** Where the user's logins to registries are kept. */
  authFiles: readonly string[];
  /** As the environment asked for when the daemon was started. */
  proxy: Proxy | undefined;
}

/** The parts that touch the host. */
export interface Parts {
  drivers: Drivers;
  link: GuestLink;
  images: ImageService;
}
