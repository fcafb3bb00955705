import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pollUntil } from '#base/backoff.ts';
import { MiB } from '#base/sizes.ts';
import type { BangerClient } from '#sdk/index.ts';
import { LAUNCHER, type TestHome } from '../test/support/test-home.ts';
import { BareMachine } from './bare-machine.ts';
import { findKernel, readGuestProgram, writeReplacedInit } from './guest-programs.ts';
import { interleave } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { ratioRow, type Row } from './report.ts';

const BYTES = 256 * MiB;
/** Eight times what a round took on the busiest machine. */
const ROUND_MS = 120_000;

/** Bytes there and back: through `vm exec -i cat`, beside socat and a guest that only echoes. */
export async function benchThroughput(
  { home, client }: { home: TestHome; client: BangerClient },
  vm: string,
  rounds: number,
): Promise<Row[]> {
  const input = join(home.root, 'input');
  await writeInput(input);
  const kernel = await findKernel(client);
  const initramfsPath = join(home.root, 'echo.cpio');
  await writeReplacedInit(initramfsPath, kernel.initramfsPath, await readGuestProgram('echo-init'));
  const size = { memoryMiB: 512, vcpus: 2 };
  await using echo = await BareMachine.start(home, { ...size, ...kernel, initramfsPath });
  await waitForEcho(echo.agentSocketPath);
  const socat = [
    'socat',
    '-t',
    '60',
    '-b',
    '65536',
    'STDIO',
    `UNIX-CONNECT:${echo.agentSocketPath},shut-none`,
  ];
  const ours = [LAUNCHER, 'vm', 'exec', '-i', vm, '--', 'cat'];
  const samples = await interleave(rounds, {
    socat: () => rateOf(socat, { input, env: home.env }),
    ours: () => rateOf(ours, { input, env: home.env }),
  });
  const floor = distributionOf(samples.socat);
  return [
    ratioRow(
      {
        name: '256 MiB through exec cat',
        unit: 'MiB/s',
        floorName: 'socat to an echo',
        floor,
        ours: distributionOf(samples.ours),
      },
      { atLeast: 0.5 },
    ),
  ];
}

/** MiB/s from the first byte in to the last byte back; the program gets the file as stdin. */
async function rateOf(
  argv: readonly string[],
  { input, env }: { input: string; env: NodeJS.ProcessEnv },
): Promise<number> {
  const [file, ...args] = argv as [string, ...string[]];
  await using source = await open(input, 'r');
  const begin = performance.now();
  const child = spawn(file, args, { stdio: [source.fd, 'pipe', 'inherit'], env });
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error(`Cannot start ${file}, which this is measured with or against`, { cause });
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), ROUND_MS);
  let received = 0;
  for await (const chunk of child.stdout as Readable) {
    received += (chunk as Buffer).length;
    if (received >= BYTES) break;
  }
  clearTimeout(deadline);
  const seconds = (performance.now() - begin) / 1000;
  if (received !== BYTES) {
    const moved = `took in ${await positionOf(source)} and gave back ${received} of ${BYTES} bytes`;
    throw new Error(`${argv.join(' ')} ${moved} in ${seconds.toFixed(1)} s`);
  }
  await killAndWait(child);
  return BYTES / MiB / seconds;
}

/** How far a program has read the file: its descriptor and ours share the place. */
async function positionOf(file: FileHandle): Promise<string> {
  const info = await readFile(`/proc/self/fdinfo/${file.fd}`, 'utf8');
  return /^pos:\s*(\d+)/m.exec(info)?.[1] ?? 'an unknown number';
}

async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function writeInput(path: string): Promise<void> {
  await using file = await open(path, 'w');
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  for (let written = 0; written < BYTES; written += block.length) await file.write(block);
}

/** The guest may take seconds until it opens the port. */
async function waitForEcho(socketPath: string): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  await pollUntil(
    () =>
      new Promise<true | undefined>((resolve) => {
        const socket = connect(socketPath, () => socket.write('?'));
        socket.setTimeout(20_000, () => socket.destroy());
        socket.once('data', () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', () => resolve(undefined));
        socket.once('close', () => resolve(undefined));
      }),
    { signal, maxMs: 100 },
  );
}
