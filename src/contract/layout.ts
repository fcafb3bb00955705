import { pathVariable, type Environment } from '#base/environment.ts';

/** Where everything lives, for one user. Client and daemon derive it from the same rule. */
export interface Layout {
  configDir: string;
  /** The user's file, which wins over the system's, key by key. */
  configPath: string;
  systemConfigPath: string;
  /** Images, kernels, VM disks, the database, the log. */
  stateDir: string;
  /** Downloads: may be deleted at any time. */
  cacheDir: string;
  /** Sockets and handles of what runs. */
  runtimeDir: string;
  socketPath: string;
  databasePath: string;
  logPath: string;
  vmsDir: string;
  imagesDir: string;
  kernelsDir: string;
}

/**
 * XDG base directories; a relative or empty variable counts as unset, as the specification says.
 * Without `XDG_RUNTIME_DIR` the runtime folder is `/tmp/banger-runtime-UID`, whose owner and mode the daemon checks.
 */
export function resolveLayout(environment: Environment, uid: number, home: string): Layout {
  const folder = (name: string, fallback: string) => pathVariable(environment, name) ?? fallback;
  const runtimeBase = folder('XDG_RUNTIME_DIR', '');
  const stateDir = `${folder('XDG_STATE_HOME', `${home}/.local/state`)}/banger`;
  const runtimeDir = runtimeBase === '' ? `/tmp/banger-runtime-${uid}` : `${runtimeBase}/banger`;
  const configDir = `${folder('XDG_CONFIG_HOME', `${home}/.config`)}/banger`;
  return {
    configDir,
    configPath: `${configDir}/config.toml`,
    systemConfigPath: '/etc/banger/config.toml',
    stateDir,
    cacheDir: `${folder('XDG_CACHE_HOME', `${home}/.cache`)}/banger`,
    runtimeDir,
    socketPath: `${runtimeDir}/bangerd.sock`,
    databasePath: `${stateDir}/banger.db`,
    logPath: `${stateDir}/bangerd.log`,
    vmsDir: `${stateDir}/vms`,
    imagesDir: `${stateDir}/images`,
    kernelsDir: `${stateDir}/kernels`,
  };
}
