import { formatSize } from '#base/sizes.ts';
import type { VmStats } from '#contract/owner/stats.ts';
import { formatUptime } from './elapsed.ts';

export const STATS_HEAD = [
  'NAME',
  'CPU%',
  'MEM USED/LIMIT',
  'DISK ALLOC/VIRTUAL',
  'NET RX/TX',
  'LOAD',
  'UPTIME',
];

/** What was not measured is a dash. */
export function toStatsRow(stats: VmStats): string[] {
  const { vm, machine, disk, guest, uptimeMs } = stats;
  return [
    vm.name,
    machine?.cpuPercent === undefined ? '-' : machine.cpuPercent.toFixed(1),
    pair(usedMemory(stats), stats.memoryLimitBytes),
    pair(disk?.allocatedBytes, disk?.virtualBytes),
    pair(guest?.receivedBytes, guest?.sentBytes),
    guest ? guest.load[0].toFixed(2) : '-',
    formatUptime(uptimeMs),
  ];
}

/** By the guest's word; without it what the machine takes of the host. */
function usedMemory({ guest, machine }: VmStats): number | undefined {
  if (guest) return Math.max(0, guest.memoryTotalBytes - guest.memoryAvailableBytes);
  return machine?.rssBytes;
}

function pair(one: number | undefined, other: number | undefined): string {
  if (one === undefined && other === undefined) return '-';
  return [one, other].map((bytes) => (bytes === undefined ? '-' : formatSize(bytes))).join(' / ');
}
