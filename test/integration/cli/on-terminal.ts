import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pollUntil } from '#base/backoff.ts';
import { BANGER, type DaemonPlace } from './run-banger.ts';

export const skipWithoutTerminal =
  spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'needs python3, which makes the terminal';

/** banger on a terminal of 24 x 80. */
export class OnTerminal {
  screen = '';
  readonly ended: Promise<number>;
  readonly #child;

  /** @param place `program` is another build than the sources */
  constructor(
    place: DaemonPlace & { program?: string },
    args: readonly string[],
    env: Record<string, string> = {},
  ) {
    this.#child = spawn(
      'python3',
      [join(import.meta.dirname, 'on-terminal.py'), process.execPath, place.program ?? BANGER, ...args],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...place.env, TERM: 'xterm-test', ...env },
      },
    );
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.screen += text));
    this.ended = once(this.#child, 'close').then(([code]) => code as number);
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async shows(what: RegExp | string): Promise<void> {
    const isThere = () => (typeof what === 'string' ? this.screen.includes(what) : what.test(this.screen));
    try {
      await pollUntil(() => (isThere() ? true : undefined), {
        signal: AbortSignal.timeout(15_000),
      });
    } catch (error) {
      throw new Error(`never showed ${String(what)}: ${JSON.stringify(this.screen)}`, { cause: error });
    }
  }
}
