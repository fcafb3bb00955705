import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { raceAbort, type Abortable } from '#base/abort.ts';
import { getArchitecture } from '#hypervisor/qemu/architecture.ts';
import { chooseAccelerator, tscFrequencyFor } from '#hypervisor/qemu/accelerator.ts';
import { qemuArguments } from '#hypervisor/qemu/command-line.ts';
import { keptArguments } from '#hypervisor/qemu/log-keeper.ts';
import { machinePaths } from '#hypervisor/qemu/machine-paths.ts';
import { REPOSITORY, type TestHome } from '../test/support/test-home.ts';

export interface BareMachineSpec {
  kernelPath: string;
  uncompressedKernelPath: string;
  initramfsPath: string;
  timerHz: number | undefined;
  memoryMiB: number;
  vcpus: number;
  /** As banger has it for an emulated machine; QEMU itself asks for huge pages. */
  smallPages?: boolean;
}

/** QEMU with banger's options, without banger: no disks, no network, nobody who waits for an agent. */
export class BareMachine implements AsyncDisposable {
  readonly folder: string;
  readonly process: ChildProcess;
  readonly agentSocketPath: string;

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.process = child;
    this.agentSocketPath = join(folder, 'agent.sock');
  }

  static async start(home: TestHome, spec: BareMachineSpec): Promise<BareMachine> {
    const folder = await mkdtemp(join(tmpdir(), 'bgr-bare-'));
    const architecture = getArchitecture(process.arch);
    const { accelerator } = await chooseAccelerator(undefined);
    const helperPath = join(REPOSITORY, 'native/build/tsc-khz');
    const tscKHz = await tscFrequencyFor(architecture, accelerator, {
      helperPath,
      cacheDir: home.layout.cacheDir,
    });
    const args = qemuArguments(
      {
        ...spec,
        id: 'bare',
        commandLine: [],
        disks: [],
        runtimeDir: folder,
        consoleLogPath: join(folder, 'console.log'),
      },
      { architecture, accelerator, tscKHz, sandbox: true },
    );
    const command = [architecture.binary, ...args];
    const [file = '', ...words] = spec.smallPages ? withSmallPages(folder, command) : command;
    return new BareMachine(folder, spawn(file, words, { stdio: 'ignore' }));
  }

  /** @throws the signal's reason */
  async exited(options: Abortable = {}): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      await raceAbort(once(this.process, 'exit'), options.signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** banger's own way to it. */
function withSmallPages(folder: string, argv: readonly string[]): string[] {
  const keeper = join(REPOSITORY, 'native/build/log-keeper');
  return [
    keeper,
    ...keptArguments(machinePaths(folder), join(folder, 'console.log'), { argv, smallPages: true }),
  ];
}
