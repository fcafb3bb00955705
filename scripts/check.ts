// Everything that has to hold for a commit: format, lint, types, unused code, then the fast tests (which
// include the layers and the other rules of test/architecture). Prints one line per gate, and all of a
// failed one's output.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

interface Gate {
  name: string;
  command: readonly string[];
}

const GATES: readonly Gate[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['prettier', '--check', '--log-level=warn', '.'] },
  { name: 'unused code', command: ['knip', '--no-config-hints'] },
];

const root = resolve(import.meta.dirname, '..');
const PATH = `${join(root, '.runtime/bin')}:${join(root, 'node_modules/.bin')}:${process.env['PATH']}`;
const startedMs = performance.now();
let failed = 0;

const queue = [...GATES];
const work = async () => {
  for (let gate = queue.shift(); gate; gate = queue.shift()) await runGate(gate);
};
await Promise.all(Array.from({ length: availableParallelism() }, work));
await runGate({ name: 'tests', command: ['node', 'test/run.ts', 'unit', 'architecture'] });

const elapsed = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(failed > 0 ? `check: ${failed} gates failed in ${elapsed} s` : `check: all good in ${elapsed} s`);
process.exitCode = failed > 0 ? 1 : 0;

async function runGate({ name, command }: Gate): Promise<void> {
  const [program = '', ...args] = command;
  const gateStartedMs = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, PATH, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [status] = (await once(child, 'close')) as [number | null];
  const seconds = ((performance.now() - gateStartedMs) / 1000).toFixed(1);
  if (status === 0) {
    const last = name === 'tests' ? `  ${output.trim().split('\n').at(-1)}` : '';
    console.log(`  ok  ${name.padEnd(12)} ${seconds.padStart(5)} s${last}`);
    return;
  }
  failed += 1;
  console.log(
    `FAIL  ${name.padEnd(12)} ${seconds.padStart(5)} s  ${command.join(' ')}\n${output.trimEnd()}\n`,
  );
}
