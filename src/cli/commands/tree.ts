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
    create: { load: async () => (await import('./vm/create.ts')).createVmCommand },
    start: { load: async () => (await import('./vm/start.ts')).startVmCommand },
    stop: { load: async () => (await import('./vm/stop.ts')).stopVmCommand },
    delete: { load: async () => (await import('./vm/delete.ts')).deleteVmCommand },
    list: { load: async () => (await import('./vm/list.ts')).listVmsCommand },
    show: { load: async () => (await import('./vm/show.ts')).showVmCommand },
    exec: { load: async () => (await import('./vm/exec.ts')).execCommand, takesCommand: true },
    logs: { load: async () => (await import('./vm/logs.ts')).vmLogsCommand },
    wait: { load: async () => (await import('./vm/wait.ts')).waitVmCommand },
  },
  aliases: { ls: 'list', rm: 'delete' },
};

const image: Group = {
  brief: 'See the images that VMs begin from',
  description: `An image is the root disk that a new VM begins with. The default one is made at the first \`banger vm run\`.

  banger image list                                  what is here, and what can be made
  banger vm run --image debian-bookworm --name demo  a VM from one of them`,
  routes: { list: { load: async () => (await import('./image/list.ts')).listImagesCommand } },
  aliases: { ls: 'list' },
};

const kernel: Group = {
  brief: 'See the kernels that VMs boot',
  description: `A VM boots a kernel of the host's collection, not one of its image. It is fetched at the first \`banger vm run\`.

  banger kernel list`,
  routes: { list: { load: async () => (await import('./kernel/list.ts')).listKernelsCommand } },
  aliases: { ls: 'list' },
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
    daemon,
    doctor: { load: async () => (await import('./doctor.ts')).doctorCommand },
    completion: { load: async () => (await import('./completion.ts')).completionCommand },
    version: { load: async () => (await import('./version.ts')).versionCommand },
  },
};
