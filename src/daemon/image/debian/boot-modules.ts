/**
 * What a guest has before its root disk is there: what the disk, the guest link and the network need, the network
 * last. Everything else, the random number generator and vsock included, comes from the modules disk.
 */
const REQUIRED = ['virtio_mmio', 'virtio_blk', 'ext4', 'virtio_console', 'virtio_net'];

/** What is known of a kernel's modules. */
export interface ModuleIndex {
  /** `modules.dep` */
  dependencies: string;
  /** Names of what is built in. */
  builtIn: ReadonlySet<string>;
  /** `modules.softdep` */
  softDependencies?: string;
}

/** Of the drivers that a guest cannot do without, those that a kernel has neither as a module nor built in. */
export function missingDrivers({ dependencies, builtIn }: ModuleIndex): string[] {
  const paths = pathsByName(parseModulesDep(dependencies));
  return REQUIRED.filter((name) => !paths.has(name) && !builtIn.has(name));
}

/**
 * Paths of the boot modules below the modules folder, each after what it depends on. What is built into the kernel is
 * left out.
 */
export function orderBootModules(index: ModuleIndex): string[] {
  const dependencies = parseModulesDep(index.dependencies);
  const paths = pathsByName(dependencies);
  const before = parseSoftDependencies(index.softDependencies ?? '');
  const ordered = new Set<string>();
  const add = (path: string, pending: ReadonlySet<string>): void => {
    if (ordered.has(path) || pending.has(path)) return;
    const soft = (before.get(moduleName(path)) ?? []).flatMap((name) => paths.get(name) ?? []);
    // modules.dep lists all of a module's dependencies, the ones to load first last (modules.dep(5)).
    const hard = (dependencies.get(path) ?? []).toReversed();
    for (const first of [...soft, ...hard]) add(first, new Set([...pending, path]));
    ordered.add(path);
  };
  for (const path of REQUIRED.flatMap((name) => paths.get(name) ?? [])) add(path, new Set());
  return [...ordered];
}

/** Names in `modules.builtin`. */
export function parseBuiltIn(text: string): Set<string> {
  return new Set(text.split('\n').filter(Boolean).map(moduleName));
}

/** Finds drivers in an unpacked kernel by the names under which they register, for one that comes without a list. */
export function findBuiltInDrivers(kernel: Buffer): Set<string> {
  const found = REQUIRED.filter((name) =>
    [name, name.replaceAll('_', '-')].some((text) => kernel.includes(`\0${text}\0`, 0, 'latin1')),
  );
  return new Set(found);
}

function pathsByName(dependencies: ReadonlyMap<string, unknown>): Map<string, string> {
  return new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
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

/** `softdep ext4 pre: crc32c`; a name there may also be an alias, whose plain implementation is `…_generic`. */
function parseSoftDependencies(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name = '', list = ''] of text.matchAll(
    /^softdep\s+(\S+)\s+pre:([^\n]*?)(?:\s+post:.*)?$/gm,
  )) {
    const names = list.trim().split(/\s+/).filter(Boolean).map(moduleName);
    found.set(moduleName(name), [
      ...(found.get(moduleName(name)) ?? []),
      ...names.flatMap((one) => [one, `${one}_generic`]),
    ]);
  }
  return found;
}

/** `kernel/drivers/block/virtio-blk.ko.xz` → `virtio_blk`: the kernel does not tell dashes from underscores. */
function moduleName(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}
