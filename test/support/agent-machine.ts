import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pollUntil } from '#base/backoff.ts';
import { AgentClient } from '#guest/agent-client.ts';
import { buildInitramfs } from '#guest/initramfs.ts';
import { VirtioSerialLink } from '#guest/virtio-serial/virtio-serial-link.ts';
import type { Machine } from '#hypervisor/hypervisor.ts';
import { QemuHypervisor } from '#hypervisor/qemu/qemu-hypervisor.ts';
import { createMachineHome } from './artifacts.ts';
import { MachinePlace } from './machine-place.ts';
import { runProcess } from './run-process.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const BOOT_MS = 60_000;

export interface AgentMachineOptions {
  /** Files of the root disk by path, besides `/bin/busybox`; a folder where the content is undefined. */
  files?: Record<string, string | undefined>;
  memoryMiB?: number;
  kernelParameters?: string[];
}

/** A machine with nothing in it but the agent and busybox, without the daemon: no shell by name, no init, no /etc. */
export class AgentMachine implements AsyncDisposable {
  readonly client: AgentClient;
  readonly #own: AsyncDisposableStack;
  readonly #hypervisor: QemuHypervisor;
  readonly #machine: Machine;
  readonly #consolePath: string;

  static async boot(options: AgentMachineOptions = {}): Promise<AgentMachine> {
    const native = join(REPOSITORY, 'native/build');
    const paths = { tscHelperPath: join(native, 'tsc-khz'), logKeeperPath: join(native, 'log-keeper') };
    await using stack = new AsyncDisposableStack();
    const home = stack.use(await createMachineHome());
    const hypervisor = new QemuHypervisor({ ...paths, cacheDir: home.root });
    const place = stack.use(await MachinePlace.create(hypervisor));
    const rootPath = await makeRootDisk(place.root, options.files ?? {});
    const config = await place.newConfig({
      ...(await copyKernel(home.layout.kernelsDir, place.root)),
      memoryMiB: options.memoryMiB ?? 256,
      commandLine: [
        'banger.root=banger-root',
        'banger.hostname=box',
        'ro',
        ...(options.kernelParameters ?? []),
      ],
      disks: [{ serial: 'banger-root', path: rootPath, format: 'raw', readOnly: false }],
    });
    const machine = await hypervisor.launch(config);
    const signal = AbortSignal.timeout(BOOT_MS);
    const stream = await new VirtioSerialLink().connect({ socketPath: machine.guestSocketPath }, { signal });
    const client = await AgentClient.connect(stream, { signal });
    stack.defer(() => client.close());
    const own = stack.move();
    return new AgentMachine({ client, own, hypervisor, machine, consolePath: config.consoleLogPath });
  }

  private constructor(parts: {
    client: AgentClient;
    own: AsyncDisposableStack;
    hypervisor: QemuHypervisor;
    machine: Machine;
    consolePath: string;
  }) {
    this.client = parts.client;
    this.#own = parts.own;
    this.#hypervisor = parts.hypervisor;
    this.#machine = parts.machine;
    this.#consolePath = parts.consolePath;
  }

  /** What the console printed so far, with plain line ends. */
  async readConsole(): Promise<string> {
    return (await readFile(this.#consolePath, 'utf8')).replaceAll('\r\n', '\n');
  }

  /** Resolves when the pattern stands on the console. */
  async waitForConsole(pattern: RegExp): Promise<RegExpExecArray> {
    const find = async () => pattern.exec(await this.readConsole()) ?? undefined;
    return pollUntil(find, { signal: AbortSignal.timeout(BOOT_MS) });
  }

  async waitForExit(): Promise<void> {
    await this.#hypervisor.waitForExit(this.#machine, { signal: AbortSignal.timeout(BOOT_MS) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own[Symbol.asyncDispose]();
  }
}

async function makeRootDisk(folder: string, files: Record<string, string | undefined>): Promise<string> {
  const tree = join(folder, 'tree');
  await mkdir(join(tree, 'bin'), { recursive: true });
  await copyFile('/bin/busybox', join(tree, 'bin/busybox'));
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) await mkdir(join(tree, path), { recursive: true });
    else {
      await mkdir(join(tree, path, '..'), { recursive: true });
      await writeFile(join(tree, path), content);
    }
  }
  const path = join(folder, 'root.ext4');
  await writeFile(path, '');
  await truncate(path, 32 * 2 ** 20);
  const made = await runProcess('mke2fs', ['-q', '-t', 'ext4', '-d', tree, path]);
  if (made.status !== 0) throw new Error(`mke2fs failed: ${made.stderr}`);
  return path;
}

/** With an initramfs of its own, which holds the agent as it is built now. */
async function copyKernel(kernels: string, target: string) {
  const [id = ''] = await readdir(kernels);
  const modules = join(kernels, id, 'boot-modules');
  const names = (await readFile(join(modules, 'modules.list'), 'utf8')).trim().split('\n');
  const initramfs = buildInitramfs({
    agent: await readFile(join(REPOSITORY, 'agent/build/banger-agent')),
    modules: await Promise.all(
      names.map(async (fileName) => ({ fileName, content: await readFile(join(modules, fileName)) })),
    ),
  });
  const [kernelPath, uncompressedKernelPath] = [join(target, 'vmlinuz'), join(target, 'vmlinux')];
  const initramfsPath = join(target, 'initramfs');
  await writeFile(initramfsPath, initramfs);
  await copyFile(join(kernels, id, 'vmlinuz'), kernelPath);
  await copyFile(join(kernels, id, 'vmlinux'), uncompressedKernelPath);
  return { kernelPath, uncompressedKernelPath, initramfsPath };
}
