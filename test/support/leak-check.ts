import { setTimeout as sleep } from 'node:timers/promises';
import { isBangerProgram, takeInventory, type HostResource } from './host-inventory.ts';

export interface SnapshotOptions {
  /** The tests' temporary folder: what refers to it is theirs, and afterwards it holds nothing. */
  folder: string;
  /** What refers to this is theirs too. */
  marker?: string;
  /** Others use this host at the same time: only what refers to the folder or the marker counts. */
  isShared?: boolean;
}

export interface HostSnapshot extends Required<SnapshotOptions> {
  keys: ReadonlySet<string>;
}

const SETTLE_MS = 10_000;
const POLL_MS = 50;

/** Other tests that run at the same time keep what they start in such folders. */
const OTHER_TESTS = /BANGER_TEST_SUITE=|\/tmp\/(bgt|bgr)-/;

/**
 * Notes what is on the host. Several people testing on one machine set BANGER_TEST_SHARED_HOST=1; what
 * carries no trace of its suite then goes unseen.
 */
export function snapshotHost(options: SnapshotOptions): HostSnapshot {
  const { folder, marker = folder } = options;
  const isShared = options.isShared ?? process.env['BANGER_TEST_SHARED_HOST'] === '1';
  return { folder, marker, isShared, keys: new Set(takeInventory(folder).map(({ key }) => key)) };
}

/** What is there now, was not there before, and is the tests' own. */
export function findLeaks(before: HostSnapshot): HostResource[] {
  return takeInventory(before.folder).filter(
    (resource) => !before.keys.has(resource.key) && isLeak(resource, before),
  );
}

/**
 * Fails with a list of what is left behind, and why it is taken for that. What is only just going away gets
 * up to `timeoutMs` to be gone.
 */
export async function assertNoLeaks(before: HostSnapshot, { timeoutMs = SETTLE_MS } = {}): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let leaks = findLeaks(before);
  while (leaks.length > 0 && performance.now() < deadline) {
    await sleep(POLL_MS);
    leaks = findLeaks(before);
  }
  if (leaks.length === 0) return;
  const lines = leaks.map(
    (leak) => `  ${leak.kind}: ${leak.description}\n    because ${reasonOf(leak, before)}`,
  );
  throw new Error(
    `${leaks.length} leaks, still there ${timeoutMs / 1000} s after the end:\n${lines.join('\n')}`,
  );
}

function isLeak(resource: HostResource, before: HostSnapshot): boolean {
  if (isTraced(resource, before)) return true;
  if (before.isShared || OTHER_TESTS.test(resource.traces)) return false;
  switch (resource.kind) {
    case 'process':
      return isBangerProgram(resource);
    case 'socket':
      return resource.traces.includes('banger');
    case 'mount':
      return false; // the host mounts things of its own accord
    case 'interface':
    case 'loop device':
    case 'network namespace':
    case 'file':
      return true;
  }
}

function isTraced({ traces }: HostResource, { folder, marker }: HostSnapshot): boolean {
  return mentions(traces, folder) || mentions(traces, marker);
}

/** As a path: `/tmp/ab` does not mention `/tmp/a`. */
function mentions(traces: string, path: string): boolean {
  let at = traces.indexOf(path);
  while (at !== -1) {
    if (!/[\w.-]/.test(traces[at + path.length] ?? '')) return true;
    at = traces.indexOf(path, at + 1);
  }
  return false;
}

function reasonOf(leak: HostResource, before: HostSnapshot): string {
  if (leak.kind === 'file' && mentions(leak.traces, before.folder)) return 'it lies in the temporary folder';
  if (isTraced(leak, before)) return `it refers to ${before.marker}`;
  return 'it was not there before, and banger makes such things';
}
