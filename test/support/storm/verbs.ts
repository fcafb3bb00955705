import { finished } from 'node:stream/promises';
import { MiB } from '#base/sizes.ts';
import type { BangerClient, OperationHandle } from '#sdk/index.ts';
import { errorCode } from './error-code.ts';
import type { Random } from './random.ts';
import type { StormVm } from './storm-vm.ts';

export interface VerbContext {
  client: BangerClient;
  vm: StormVm;
  random: Random;
  signal: AbortSignal;
  size: { memoryMiB: number; vcpus: number };
}

/** Something a user does to a VM. */
export type Verb = (context: VerbContext) => Promise<void>;

const CANCELLED = 0.1;

const create: Verb = async (context) => {
  const { client, vm, random, size, signal } = context;
  if (vm.id !== undefined) return; // it may have its other name
  const request = { name: vm.name, ...size, start: random.chance(0.8) };
  const made = await finish(context, await client.vms.create(request, { signal }));
  vm.id = made.id;
  vm.marker = undefined;
};

const start: Verb = async (context) => {
  const { client, vm, signal } = context;
  await finish(context, await client.vms.start(vm.reference, { signal }));
};

const stop: Verb = async (context) => {
  const { client, vm, signal } = context;
  await finish(context, await client.vms.stop(vm.reference, { signal }));
};

const restart: Verb = async (context) => {
  const { client, vm, signal } = context;
  await finish(context, await client.vms.restart(vm.reference, { signal }));
};

const kill: Verb = async (context) => {
  const { client, vm, signal } = context;
  await finish(context, await client.vms.kill(vm.reference, { signal }));
};

const remove: Verb = async (context) => {
  const { client, vm, random, signal } = context;
  const { id } = vm;
  await finish(context, await client.vms.delete(vm.reference, { force: random.chance(0.7), signal }));
  if (vm.id === id) vm.id = undefined;
};

const set: Verb = async (context) => {
  const { client, vm, random, size, signal } = context;
  const change = random.pick([
    { vcpus: random.between(1, size.vcpus) },
    { memoryMiB: size.memoryMiB + random.between(0, 1) * 64 },
    { autoStopAfterMs: 0 },
  ]);
  await finish(context, await client.vms.set(vm.reference, change, { signal }));
};

const grow: Verb = async (context) => {
  const { client, vm, random, signal } = context;
  const { spec } = await client.vms.get(vm.reference, { signal });
  const diskBytes = spec.diskBytes + random.between(0, 4) * MiB;
  await finish(context, await client.vms.set(vm.reference, { diskBytes }, { signal }));
};

const rename: Verb = async (context) => {
  const { client, vm, random, signal } = context;
  if (vm.id === undefined) return;
  await finish(context, await client.vms.set(vm.id, { name: random.pick(vm.names) }, { signal }));
};

const look: Verb = async ({ client, vm, signal }) => {
  await client.vms.get(vm.reference, { signal });
  await client.vms.touch(vm.reference, { signal });
};

const check: Verb = async ({ client, signal }) => {
  await client.fsck.check({ signal });
};

const execute: Verb = async ({ client, vm, signal }) => {
  await run(client, vm, ['true'], signal);
};

/** What the command prints; it must succeed. Undefined when it was ended by a guest that is going down. */
export async function run(
  client: BangerClient,
  vm: StormVm,
  argv: string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const command = await client.vms.exec(vm.reference, { argv }, { signal });
  command.stderr.resume();
  const chunks: Buffer[] = [];
  command.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { exitCode, signal: killedBy } = await command.wait({ signal });
  if (killedBy !== undefined) return undefined;
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}`);
  await finished(command.stdout, { signal });
  return Buffer.concat(chunks).toString().trim();
}

/** Each with how often it comes; making a VM, for when there is none, is the first. */
export const VERBS: readonly (readonly [string, Verb, number])[] = [
  ['create', create, 1],
  ['start', start, 8],
  ['stop', stop, 5],
  ['restart', restart, 3],
  ['kill', kill, 3],
  ['delete', remove, 5],
  ['set', set, 4],
  ['grow', grow, 2],
  ['rename', rename, 3],
  ['look', look, 3],
  ['fsck', check, 1],
  ['exec', execute, 8],
];

/** Waits for the end; now and then the user changes his mind meanwhile. */
async function finish<T>({ random, signal }: VerbContext, operation: OperationHandle<T>): Promise<T> {
  const result = operation.result();
  if (random.chance(CANCELLED)) {
    const timer = setTimeout(() => void cancel(operation, signal), random.between(0, 500));
    result.finally(() => clearTimeout(timer)).catch(() => {}); // reported by the caller
  }
  return result;
}

async function cancel(operation: OperationHandle<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await operation.cancel({ signal });
  } catch (error) {
    if (errorCode(error) === undefined) throw error; // the daemon may be gone, and the operation with it
  }
}
