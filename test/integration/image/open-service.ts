import { mkdir } from 'node:fs/promises';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { ImageService, type ImageServiceOptions } from '#daemon/image/image-service.ts';
import { openDatabase, type Database } from '#store/database.ts';

export interface OpenService {
  service: ImageService;
  layout: Layout;
  database: Database;
  [Symbol.dispose](): void;
}

/** An image service on a store below `folder`, as the daemon opens it. */
export async function openService(
  folder: string,
  options: Partial<ImageServiceOptions> = {},
): Promise<OpenService> {
  const environment = {
    XDG_CONFIG_HOME: `${folder}/config`,
    XDG_STATE_HOME: `${folder}/state`,
    XDG_CACHE_HOME: `${folder}/cache`,
    XDG_RUNTIME_DIR: `${folder}/run`,
  };
  const layout = resolveLayout(environment, process.getuid?.() ?? 0, folder);
  await mkdir(layout.stateDir, { recursive: true, mode: 0o700 });
  const database = openDatabase(layout.databasePath);
  const service = new ImageService({
    layout,
    database,
    log: silentLogger,
    clock: systemClock,
    agentPath: `${folder}/agent`,
    ...options,
  });
  return { service, layout, database, [Symbol.dispose]: () => database.close() };
}
