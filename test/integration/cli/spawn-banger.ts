import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pollUntil } from '#base/backoff.ts';
import { BANGER, type DaemonPlace } from './run-banger.ts';

/** A command line that is still running, to be talked to. */
export class RunningBanger {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<number>;
  stdout = '';
  stderr = '';

  constructor(daemon: DaemonPlace, args: readonly string[], command: readonly string[] = []) {
    const [file = process.execPath, ...before] = command;
    const words = command.length > 0 ? [...before, process.execPath] : [];
    this.child = spawn(file, [...words, BANGER, ...args], { stdio: 'pipe', env: daemon.env });
    this.child.stdin.on('error', () => {}); // it may end without having read everything
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(this.child, 'close').then(([code]) => code as number);
  }

  /** Waits until the output so far says so. */
  async says(what: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const signal = AbortSignal.timeout(15_000);
    try {
      await pollUntil(() => (what.test(this[stream]) ? true : undefined), { signal });
    } catch (error) {
      throw new Error(`never said ${what} on ${stream}: ${this.stdout} | ${this.stderr}`, { cause: error });
    }
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }
}
