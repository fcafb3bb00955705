import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newVmId } from '#base/ids.ts';
import type { Hypervisor, Machine, MachineConfig } from '#hypervisor/hypervisor.ts';

const LAUNCHER = join(import.meta.dirname, '../fixtures/launch-machine.ts');

/** Folders for the machines of one test; leaving it kills what still runs and removes all. */
export class MachinePlace implements AsyncDisposable {
  readonly root: string;
  readonly #hypervisor: Hypervisor;
  readonly #configs: MachineConfig[] = [];

  private constructor(root: string, hypervisor: Hypervisor) {
    this.root = root;
    this.#hypervisor = hypervisor;
  }

  static async create(hypervisor: Hypervisor): Promise<MachinePlace> {
    return new MachinePlace(await mkdtemp(join(tmpdir(), 'bgr-machines-')), hypervisor);
  }

  /** A small machine without disks; an empty file stands for what `files` does not give. */
  async newConfig(files: Partial<MachineConfig> = {}): Promise<MachineConfig> {
    const id = newVmId();
    const runtimeDir = join(this.root, `run,${id}`);
    const stateDir = join(this.root, id);
    await mkdir(runtimeDir, { mode: 0o700 });
    await mkdir(stateDir, { mode: 0o700 });
    const config: MachineConfig = {
      id,
      vcpus: 1,
      memoryMiB: 128,
      kernelPath: join(stateDir, 'kernel'),
      initramfsPath: join(stateDir, 'initramfs'),
      commandLine: [],
      disks: [],
      runtimeDir,
      consoleLogPath: join(stateDir, 'console.log'),
      ...files,
    };
    for (const path of [config.kernelPath, config.initramfsPath]) await writeFile(path, '', { flag: 'a' });
    this.#configs.push(config);
    return config;
  }

  /** Launches in another process, which is killed as soon as it has said that the machine runs. */
  async launchFromProcessThatDies(
    driver: 'fake' | 'qemu',
    options: object,
    config: MachineConfig,
  ): Promise<Machine> {
    const args = [LAUNCHER, driver, JSON.stringify(options), JSON.stringify(config)];
    const launcher = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(launcher, 'exit');
    const [line] = (await Promise.race([once(createInterface(launcher.stdout), 'line'), ended])) as [unknown];
    launcher.kill('SIGKILL');
    await ended;
    return JSON.parse(String(line)) as Machine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const config of this.#configs) {
      const machine = await this.#hypervisor.findMachine(config);
      if (machine) await this.#hypervisor.kill(machine);
    }
    await rm(this.root, { recursive: true, force: true });
  }
}
