import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { findProcess, type ProcessIdentity } from '#host/proc.ts';
import { readProcessUsage, readPssBytes } from '#host/process-usage.ts';

const MIB = 2 ** 20;
let child: ChildProcess | undefined;

afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A process that runs this program, prints `ready` and stays. */
async function run(program: string): Promise<ProcessIdentity> {
  const script = `${program}; console.log('ready'); setInterval(() => {}, 1000)`;
  child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const found = await findProcess(child.pid as number);
  assert.ok(found);
  return { pid: found.pid, startTicks: found.startTicks };
}

test('processor time is that of all threads', async () => {
  const worker = 'const end = performance.now() + 400; while (performance.now() < end);';
  const identity = await run(
    `const { Worker } = require('node:worker_threads'); new Worker(${JSON.stringify(worker)}, { eval: true })`,
  );
  const usage = await pollUntil(
    async () => {
      const found = await readProcessUsage(identity);
      return found && found.cpuMs >= 200 ? found : undefined;
    },
    { signal: AbortSignal.timeout(20_000) },
  );
  assert.ok(usage.cpuMs < 20_000);
});

test('memory is what is resident, and PSS no more than that', async () => {
  const identity = await run('globalThis.kept = Buffer.alloc(64 * 2 ** 20, 1)');
  const usage = await readProcessUsage(identity);
  const pssBytes = await readPssBytes(identity);
  assert.ok(usage?.rssBytes && usage.rssBytes > 64 * MIB && usage.rssBytes < 1024 * MIB);
  assert.ok(pssBytes && pssBytes > 64 * MIB && pssBytes <= usage.rssBytes);
});

test('what it writes to files is counted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-usage-'));
  try {
    const file = JSON.stringify(join(folder, 'file'));
    const identity = await run(`require('node:fs').writeFileSync(${file}, Buffer.alloc(8 * 2 ** 20, 1))`);
    const usage = await readProcessUsage(identity);
    // A file system in memory writes nothing to any disk.
    assert.ok(usage?.writtenBytes === 0 || (usage?.writtenBytes ?? 0) >= 8 * MIB);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a process that is gone, and another one with its pid, have no usage', async () => {
  const identity = await run('0');
  assert.equal(await readProcessUsage({ ...identity, startTicks: identity.startTicks + 1 }), undefined);
  child?.kill('SIGKILL');
  await once(child as ChildProcess, 'exit');
  assert.equal(await readProcessUsage(identity), undefined);
  assert.equal(await readPssBytes(identity), undefined);
});
