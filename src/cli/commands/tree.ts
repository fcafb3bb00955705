import type { CommandEntry, Group } from '../command-tree.ts';

const vm: Group = {
  brief: 'Run and manage virtual machines',
  description: `A VM is a Linux machine of its own, with its own kernel. Most of the time one command is all it takes:

  banger vm run --rm -- uname -a     a new VM, one command in it, and it is gone
  banger vm run --name demo          a new VM with a shell in it; it stays
  banger vm exec -it demo            back into it
  banger vm stop demo                power it off; its disk stays
  banger vm delete demo              remove it with its disk

A VM is named by its name, its id, or the beginning of either.`,
  routes: {
    run: { load: async () => (await import('./vm/run.ts')).runVmCommand, takesCommand: true },
    create: { load: async () => (await import('./vm/create.ts')).createVmCommand, takesCommand: true },
    start: { load: async () => (await import('./vm/start.ts')).startVmCommand },
    stop: { load: async () => (await import('./vm/stop.ts')).stopVmCommand },
    restart: { load: async () => (await import('./vm/restart.ts')).restartVmCommand },
    kill: { load: async () => (await import('./vm/kill.ts')).killVmCommand },
    set: { load: async () => (await import('./vm/set.ts')).setVmCommand },
    rename: { load: async () => (await import('./vm/rename.ts')).renameVmCommand },
    touch: { load: async () => (await import('./vm/touch.ts')).touchVmCommand },
    prune: { load: async () => (await import('./vm/prune.ts')).pruneVmsCommand },
    delete: { load: async () => (await import('./vm/delete.ts')).deleteVmCommand },
    list: { load: async () => (await import('./vm/list.ts')).listVmsCommand },
    show: { load: async () => (await import('./vm/show.ts')).showVmCommand },
    exec: { load: async () => (await import('./vm/exec.ts')).execCommand, takesCommand: true },
    commands: { load: async () => (await import('./vm/commands.ts')).listCommandsCommand },
    attach: { load: async () => (await import('./vm/attach.ts')).attachCommand },
    signal: { load: async () => (await import('./vm/signal.ts')).signalCommandCommand },
    logs: { load: async () => (await import('./vm/logs.ts')).vmLogsCommand },
    stats: { load: async () => (await import('./vm/stats.ts')).vmStatsCommand },
    ports: { load: async () => (await import('./vm/ports.ts')).vmPortsCommand },
    publish: { load: async () => (await import('./vm/publish.ts')).publishPortCommand },
    unpublish: { load: async () => (await import('./vm/unpublish.ts')).unpublishPortCommand },
    events: { load: async () => (await import('./vm/events.ts')).vmEventsCommand },
    wait: { load: async () => (await import('./vm/wait.ts')).waitVmCommand },
  },
  aliases: { ls: 'list', rm: 'delete' },
};

const imageCache: Group = {
  brief: 'See to what pulls have downloaded',
  description: `Layers that pulls downloaded are kept, so that images share them.

  banger image cache prune --dry-run   how much there is`,
  routes: { prune: { load: async () => (await import('./image/cache/prune.ts')).pruneImageCacheCommand } },
};

const image: Group = {
  brief: 'Make and manage the images that VMs begin from',
  description: `An image is the root disk that a new VM begins with. The default one is made at the first \`banger vm run\`.

  banger image list                                  what is here, and what can be made
  banger image pull alpine                           one from a registry
  banger image import rootfs.tar --name mine         one from a file
  banger image build . --name mine                   one from a Dockerfile
  banger vm run --image debian-bookworm --name demo  a VM from one of them`,
  routes: {
    list: { load: async () => (await import('./image/list.ts')).listImagesCommand },
    show: { load: async () => (await import('./image/show.ts')).showImageCommand },
    pull: { load: async () => (await import('./image/pull.ts')).pullImageCommand },
    import: { load: async () => (await import('./image/import.ts')).importImageCommand },
    build: { load: async () => (await import('./image/build.ts')).buildImageCommand },
    commit: { load: async () => (await import('./image/commit.ts')).commitImageCommand },
    register: { load: async () => (await import('./image/register.ts')).registerImageCommand },
    seed: { load: async () => (await import('./image/seed.ts')).seedImageCommand },
    promote: { load: async () => (await import('./image/promote.ts')).promoteImageCommand },
    export: { load: async () => (await import('./image/export.ts')).exportImageCommand },
    'make-bundle': { load: async () => (await import('./image/make-bundle.ts')).makeBundleCommand },
    tag: { load: async () => (await import('./image/tag.ts')).tagImageCommand },
    delete: { load: async () => (await import('./image/delete.ts')).deleteImageCommand },
    cache: imageCache,
  },
  aliases: { ls: 'list', rm: 'delete' },
};

const kernel: Group = {
  brief: 'Fetch and manage the kernels that VMs boot',
  description: `A VM boots a kernel of the host's collection, not one of its image. The default one is fetched at the first \`banger vm run\`.

  banger kernel list --available       what can be fetched by name
  banger kernel pull debian-trixie     fetch it
  banger kernel default debian-trixie  new VMs boot it`,
  routes: {
    list: { load: async () => (await import('./kernel/list.ts')).listKernelsCommand },
    show: { load: async () => (await import('./kernel/show.ts')).showKernelCommand },
    pull: { load: async () => (await import('./kernel/pull.ts')).pullKernelCommand },
    import: { load: async () => (await import('./kernel/import.ts')).importKernelCommand },
    default: { load: async () => (await import('./kernel/default.ts')).defaultKernelCommand },
    delete: { load: async () => (await import('./kernel/delete.ts')).deleteKernelsCommand },
  },
  aliases: { ls: 'list', rm: 'delete' },
};

const daemon: Group = {
  brief: 'See and stop the daemon behind the commands',
  description: `The commands talk to a daemon of yours, \`bangerd\`, which they start when they need it. VMs run on when it stops.

  banger daemon status     does it run, which build, where are its files
  banger daemon logs -f    what it does
  banger daemon stop       the next command starts it again, for example after an upgrade`,
  routes: {
    status: { load: async () => (await import('./daemon/status.ts')).daemonStatusCommand },
    stop: { load: async () => (await import('./daemon/stop.ts')).stopDaemonCommand },
    logs: { load: async () => (await import('./daemon/logs.ts')).daemonLogsCommand },
  },
};

const config: Group = {
  brief: 'See and change the configuration',
  description: `Every key has a value that works, so there need not be a file. Yours wins over /etc/banger/config.toml, key by key. The daemon reads them when it starts; these commands do not need it.

  banger config show                          every key, what counts, and who says so
  banger config set vm_defaults.memory_mib 2048
  banger daemon stop                          the next command starts it with the new one; VMs run on`,
  routes: {
    show: { load: async () => (await import('./config/show.ts')).showConfigCommand },
    get: { load: async () => (await import('./config/get.ts')).getConfigCommand },
    set: { load: async () => (await import('./config/set.ts')).setConfigCommand },
    unset: { load: async () => (await import('./config/unset.ts')).unsetConfigCommand },
    path: { load: async () => (await import('./config/path.ts')).configPathCommand },
  },
};

const operation: Group = {
  brief: 'See and break off what the daemon is doing',
  description: `What takes longer than a moment is an operation of the daemon. It goes on when the command that began it goes away; Ctrl-C breaks it off.

  banger operation list            what runs
  banger operation cancel ID       break it off and undo what it did`,
  routes: {
    list: { load: async () => (await import('./operation/list.ts')).listOperationsCommand },
    cancel: { load: async () => (await import('./operation/cancel.ts')).cancelOperationCommand },
  },
  aliases: { ls: 'list' },
};

const ps: CommandEntry = { load: async () => (await import('./ps.ts')).psCommand };

/** All of the command line. A new command is one line here and one file beside. */
export const commandTree: Group = {
  brief: 'Disposable Linux microVMs in one command',
  description: `banger gives you a Linux machine with its own kernel in one command, to throw away after one command or to keep.

  banger vm run --rm -- uname -a   a new VM, one command in it, and it is gone
  banger vm run --name demo        a new VM with a shell in it; it stays
  banger vm exec demo -- ls /      a command in a VM that runs
  banger ps                        which VMs run
  banger vm delete -f demo         remove it
  banger doctor                    is everything there that banger needs

Words after \`--\` reach the guest exactly as they are, and its exit status comes back.
Exit status: 0 ok, 1 a bug in banger, 2 wrong usage, 3 failed, 4 no daemon, 130 interrupted; run and exec: the command's own.`,
  routes: {
    vm,
    ps,
    image,
    kernel,
    operation,
    daemon,
    config,
    doctor: { load: async () => (await import('./doctor.ts')).doctorCommand },
    fsck: { load: async () => (await import('./fsck.ts')).fsckCommand },
    completion: { load: async () => (await import('./completion.ts')).completionCommand },
    version: { load: async () => (await import('./version.ts')).versionCommand },
  },
};
