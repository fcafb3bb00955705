import { pollUntil } from '#base/backoff.ts';
import { isAlive, findProcess, type ProcessIdentity } from '#host/proc.ts';
import type { BangerClient, Vm } from '#sdk/index.ts';
import type { Settled, StormVm } from './storm-vm.ts';

export interface OracleInput {
  client: BangerClient;
  vms: readonly StormVm[];
  /** What was known of each VM when the daemon ended. */
  before: ReadonlyMap<StormVm, Settled>;
  /** Machines that really run. */
  listMachines: () => Promise<{ id: string; process: ProcessIdentity }[]>;
}

const ANSWER_MS = 30_000;

/** What is not as it must be when a daemon has started again and nothing else happens. */
export async function findLies(input: OracleInput): Promise<string[]> {
  const { client, vms, before } = input;
  await quiet(client);
  const listed = await client.vms.list();
  for (const vm of vms) vm.find(listed);
  const lies = [...(await rowLies(listed, input)), ...(await leftovers(client))];
  for (const vm of vms) {
    await vm.settle(client, AbortSignal.timeout(ANSWER_MS));
    if (!vm.settled) lies.push(`${vm.name} neither runs nor is it stopped: ${describe(listed, vm)}`);
    const known = before.get(vm);
    if (known && vm.settled) lies.push(...changes(vm, known, vm.settled));
  }
  return lies;
}

/** What the daemon finishes by itself is done: stops that ended with the one before it. */
async function quiet(client: BangerClient): Promise<void> {
  const isQuiet = async () => {
    const operations = await client.operations.list();
    return operations.every(({ status }) => status !== 'running') || undefined;
  };
  await pollUntil(isQuiet, { signal: AbortSignal.timeout(ANSWER_MS) });
}

/** Each row against the kernel. */
async function rowLies(listed: readonly Vm[], { listMachines }: OracleInput): Promise<string[]> {
  const machines = await listMachines();
  const lies: string[] = [];
  for (const { id, name, state, pid } of listed) {
    const own = machines.filter((machine) => machine.id === id);
    if (state === 'running' && (own.length !== 1 || own[0]?.process.pid !== pid))
      lies.push(`${name} is running as ${pid}, but its machines are [${pidsOf(own)}]`);
    if (state === 'running' && !(await isRunning(pid))) lies.push(`${name} is running, but ${pid} is not`);
    if (state === 'stopped' && own.length > 0) lies.push(`${name} is stopped, but ${pidsOf(own)} runs`);
    if (state !== 'running' && state !== 'stopped') lies.push(`${name} is left in state ${state}`);
  }
  const strangers = machines.filter((machine) => !listed.some(({ id }) => id === machine.id));
  if (strangers.length > 0) lies.push(`machines of no VM: ${pidsOf(strangers)}`);
  return lies;
}

async function leftovers(client: BangerClient): Promise<string[]> {
  const { findings } = await client.fsck.check();
  return findings.map((finding) => `fsck: ${JSON.stringify(finding)}`);
}

function changes(vm: StormVm, before: Settled, after: Settled): string[] {
  if (before.state !== after.state) return [`${vm.name} was ${before.state} and is ${after.state}`];
  if (before.state !== 'running' || after.state !== 'running') return [];
  if (before.pid === after.pid && before.bootId === after.bootId) return [];
  return [`${vm.name} ran as ${before.pid} (${before.bootId}) and is now ${after.pid} (${after.bootId})`];
}

function describe(listed: readonly Vm[], { id }: StormVm): string {
  const { state, lastError } = listed.find((vm) => vm.id === id) ?? {};
  return JSON.stringify({ state, lastError });
}

function pidsOf(machines: readonly { process: ProcessIdentity }[]): string {
  return machines.map(({ process }) => process.pid).join(', ');
}

async function isRunning(pid: number | undefined): Promise<boolean> {
  const found = pid === undefined ? undefined : await findProcess(pid);
  return found !== undefined && isAlive(found);
}
