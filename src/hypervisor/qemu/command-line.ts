import type { MachineConfig, MachineDisk, MachineNetwork } from '../hypervisor.ts';
import type { Accelerator, QemuArchitecture } from './architecture.ts';
import { machinePaths, type MachinePaths } from './machine-paths.ts';

/** What the host decides, as opposed to the machine's own configuration. */
export interface QemuHost {
  architecture: QemuArchitecture;
  accelerator: Accelerator;
  /** Set when the architecture needs it and the accelerator is `tcg`. */
  tscKHz: number | undefined;
  /** Whether the kernel has seccomp filters. */
  sandbox: boolean;
}

/** Name of the virtio-serial port that the guest's agent opens. */
export const AGENT_PORT_NAME = 'banger';

/** A pipe to the log keeper. Without `append` it would be truncated, which a pipe cannot be. */
const CONSOLE_ARGUMENTS = [
  ...['-chardev', 'file,id=console,path=/dev/fd/3,append=on'],
  ...['-serial', 'chardev:console'],
];

/** The argument that tells the machines of one VM from all other processes. */
export function machineName(id: string): string {
  return `banger-${id}`;
}

/** The whole argv of one machine, without the program. */
export function qemuArguments(config: MachineConfig, host: QemuHost): string[] {
  const paths = machinePaths(config.runtimeDir);
  return [
    ...['-name', machineName(config.id)],
    ...machineArguments(config, host),
    ...bootArguments(config, host),
    ...CONSOLE_ARGUMENTS,
    ...config.disks.flatMap(diskArguments),
    ...(config.network ? networkArguments(config.network) : []),
    ...agentArguments(paths),
    ...['-object', 'rng-random,id=entropy,filename=/dev/urandom', '-device', 'virtio-rng-device,rng=entropy'],
    ...controlArguments(paths),
    ...(host.sandbox
      ? ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny']
      : []),
  ];
}

function machineArguments(config: MachineConfig, { architecture, accelerator }: QemuHost): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-M', architecture.machine],
    ...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
    ...['-cpu', architecture.cpu[accelerator]],
    ...['-smp', String(config.vcpus)],
    ...['-m', `${config.memoryMiB}M`],
  ];
}

function bootArguments(config: MachineConfig, host: QemuHost): string[] {
  // Unpacking is a quarter of an emulated boot. With hardware it is nothing, and the compressed one can place itself (KASLR).
  const uncompressed = host.accelerator === 'tcg' ? config.uncompressedKernelPath : undefined;
  const kernelPath = uncompressed ?? config.kernelPath;
  return [
    ...['-kernel', kernelPath],
    ...['-initrd', config.initramfsPath],
    ...['-append', [...kernelParameters(config, host), ...config.commandLine].join(' ')],
  ];
}

function kernelParameters(
  { timerHz }: MachineConfig,
  { architecture, accelerator, tscKHz }: QemuHost,
): string[] {
  return [
    `console=${architecture.console}`,
    // A reset by triple fault needs no device, and -no-reboot turns every reset into the end of the machine.
    'reboot=t',
    'panic=-1',
    'quiet',
    'net.ifnames=0',
    ...(accelerator === 'tcg' ? architecture.emulationParameters : []),
    ...(tscKHz === undefined ? [] : clockParameters(tscKHz, timerHz)),
  ];
}

/** What an emulated guest would have to measure, and on a busy host measures wrongly. */
function clockParameters(tscKHz: number, timerHz: number | undefined): string[] {
  return [
    // Without `reliable` the kernel checks the TSC against its own ticks, which a busy host delays; it then drops the TSC
    // and counts those ticks instead: the guest's clock falls behind by seconds.
    ...[`tsc_early_khz=${tscKHz}`, 'tsc=reliable'],
    // What the first CPU computes from the TSC, each other one measures again: 0.1 s of its start (calibrate_delay()).
    ...(timerHz === undefined ? [] : [`lpj=${Math.floor((tscKHz * 1000) / timerHz)}`]),
  ];
}

function diskArguments(disk: MachineDisk, index: number): string[] {
  const file = `disk${index}-file`;
  const node = `disk${index}`;
  const access = `read-only=${disk.readOnly ? 'on' : 'off'},discard=unmap`;
  // The format is always named: probing would let a guest turn its raw disk into a qcow2 that names a file of the host.
  return [
    ...['-blockdev', `driver=file,node-name=${file},filename=${escapeValue(disk.path)},${access}`],
    ...['-blockdev', `driver=${disk.format},node-name=${node},file=${file},${access}`],
    ...['-device', `virtio-blk-device,drive=${node},serial=${escapeValue(disk.serial)}`],
  ];
}

function networkArguments(network: MachineNetwork): string[] {
  return [
    ...['-netdev', `stream,id=net0,server=off,addr.type=unix,addr.path=${escapeValue(network.socketPath)}`],
    ...['-device', `virtio-net-device,netdev=net0,mac=${network.mac}`],
  ];
}

function agentArguments(paths: MachinePaths): string[] {
  return [
    ...['-chardev', `socket,id=agent,path=${escapeValue(paths.agentSocket)},server=on,wait=off`],
    // The agent's port and the first one, which is kept for a console: by default the guest makes queues for 31.
    ...['-device', 'virtio-serial-device,max_ports=2'],
    ...['-device', `virtserialport,chardev=agent,name=${AGENT_PORT_NAME}`],
  ];
}

function controlArguments(paths: MachinePaths): string[] {
  return [
    ...['-chardev', `socket,id=qmp,path=${escapeValue(paths.qmpSocket)},server=on,wait=off`],
    ...['-mon', 'chardev=qmp,mode=control'],
    ...['-pidfile', paths.pidFile],
  ];
}

/** In QEMU's option syntax a comma ends a value unless it is doubled. */
function escapeValue(value: string): string {
  return value.replaceAll(',', ',,');
}
