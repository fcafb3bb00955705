import { Fields, FieldsBuilder, saturate } from './fields.ts';
import { MalformedError } from './malformed.ts';
import { plainText } from './plain-text.ts';

const MEMORY = [
  'totalBytes',
  'freeBytes',
  'availableBytes',
  'cachedBytes',
  'swapTotalBytes',
  'swapFreeBytes',
] as const;
const CPU = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const DISK = ['totalBytes', 'freeBytes', 'availableBytes'] as const;
const NETWORK = ['receivedBytes', 'sentBytes', 'receivedPackets', 'sentPackets'] as const;

type Numbers<Names extends readonly string[]> = Record<Names[number], number>;

/** What the guest says of its load; numbers of a hostile guest may be anything. */
export interface GuestStats {
  /** 1, 5 and 15 minutes. */
  loadAverage: [number, number, number];
  memory: Numbers<typeof MEMORY>;
  uptimeMs: number;
  processes: number;
  /** Clock ticks since boot, all CPUs together. */
  cpuTicks: Numbers<typeof CPU>;
  disks: (Numbers<typeof DISK> & { mountPoint: string })[];
  networks: (Numbers<typeof NETWORK> & { name: string })[];
}

/** @throws MalformedError */
export function decodeStats(payload: Uint8Array): GuestStats {
  const fields = new Fields(payload);
  const load = fields.bytes(1);
  if (load?.length !== 12) throw new MalformedError('stats without a load of 12 bytes');
  const view = new DataView(load.buffer, load.byteOffset, 12);
  const average = (index: number) => view.getUint32(index * 4, true) / 100;
  return {
    loadAverage: [average(0), average(1), average(2)],
    memory: readNumbers(MEMORY, fields.bytes(2)).numbers,
    uptimeMs: fields.requireNumber(3),
    processes: fields.requireNumber(4),
    cpuTicks: readNumbers(CPU, fields.bytes(5)).numbers,
    disks: fields.all(6).map((bytes) => {
      const { numbers, label } = readNumbers(DISK, bytes);
      return { ...numbers, mountPoint: label };
    }),
    networks: fields.all(7).map((bytes) => {
      const { numbers, label } = readNumbers(NETWORK, bytes);
      return { ...numbers, name: label };
    }),
  };
}

export function encodeStats(stats: GuestStats): Uint8Array {
  const load = new Uint8Array(12);
  const view = new DataView(load.buffer);
  stats.loadAverage.forEach((value, index) => view.setUint32(index * 4, Math.round(value * 100), true));
  const fields = new FieldsBuilder()
    .bytes(1, load)
    .bytes(2, writeNumbers(MEMORY, stats.memory))
    .u64(3, stats.uptimeMs)
    .u32(4, stats.processes)
    .bytes(5, writeNumbers(CPU, stats.cpuTicks));
  for (const disk of stats.disks) fields.bytes(6, writeNumbers(DISK, disk, disk.mountPoint));
  for (const network of stats.networks) fields.bytes(7, writeNumbers(NETWORK, network, network.name));
  return fields.build();
}

/** u64 numbers in the order of `names`, then text to the end. */
function readNumbers<Names extends readonly string[]>(names: Names, bytes: Uint8Array | undefined) {
  if (bytes === undefined || bytes.length < names.length * 8) {
    throw new MalformedError(`stats with fewer than ${names.length} numbers`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries = names.map((name, index) => [name, saturate(view.getBigUint64(index * 8, true))]);
  const label = plainText(new TextDecoder().decode(bytes.subarray(names.length * 8)), 4096);
  return { numbers: Object.fromEntries(entries) as Numbers<Names>, label };
}

function writeNumbers(names: readonly string[], numbers: object, label = ''): Uint8Array {
  const text = new TextEncoder().encode(label);
  const bytes = new Uint8Array(names.length * 8 + text.length);
  const view = new DataView(bytes.buffer);
  const values = numbers as Readonly<Record<string, number>>;
  names.forEach((name, index) => view.setBigUint64(index * 8, BigInt(values[name] ?? 0), true));
  bytes.set(text, names.length * 8);
  return bytes;
}
