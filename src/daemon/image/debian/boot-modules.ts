/**
 * What a guest loads before its root disk is there: what the disk, the guest link and the network need, the network
 * last. Everything else, the random number generator and vsock included, comes from the modules disk.
 */
const WANTED = [
  'virtio_ring',
  'virtio',
  'virtio_mmio',
  'virtio_blk',
  'virtio_console',
  'failover',
  'net_failover',
  'virtio_net',
];

/**
 * Paths of the boot modules below the modules folder, each after what it depends on. One that is built into the kernel
 * is left out.
 *
 * @throws Error when one is neither a module nor built in
 */
export function orderBootModules(modulesDep: string, modulesBuiltin: string): string[] {
  const dependencies = parseModulesDep(modulesDep);
  const pathOf = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const builtIn = new Set(modulesBuiltin.split('\n').filter(Boolean).map(moduleName));
  const ordered = new Set<string>();
  for (const name of WANTED) {
    const path = pathOf.get(name);
    if (path === undefined && !builtIn.has(name))
      throw new Error(`the kernel package has no module "${name}"`);
    if (path !== undefined) addAfterDependencies(path, dependencies, ordered);
  }
  return [...ordered];
}

function addAfterDependencies(
  path: string,
  dependencies: ReadonlyMap<string, readonly string[]>,
  ordered: Set<string>,
): void {
  if (ordered.has(path)) return;
  // modules.dep lists all of a module's dependencies, the ones to load first last (modules.dep(5)).
  for (const dependency of (dependencies.get(path) ?? []).toReversed()) {
    addAfterDependencies(dependency, dependencies, ordered);
  }
  ordered.add(path);
}

function parseModulesDep(text: string): Map<string, string[]> {
  const lines = text.split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [path = '', rest = ''] = line.split(':');
      return [path, rest.trim().split(' ').filter(Boolean)];
    }),
  );
}

/** `kernel/drivers/block/virtio-blk.ko.xz` → `virtio_blk`: the kernel does not tell dashes from underscores. */
function moduleName(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}
