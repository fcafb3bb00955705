import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { hostCpus, hostMemoryBytes } from './capabilities.ts';
import { pathExists, readFileIfThere, writeFileAtomic } from './files.ts';
import { runCommand } from './run-command.ts';

export interface DaemonProgram {
  /** What runs the entry: Node. */
  program: string;
  /** `dist/bangerd.js` or `src/bin/bangerd.ts`. */
  entry: string;
}

const EXAMINE_TIMEOUT_MS = 60_000;

/** What commands do on this machine without the daemon, because it may be what is broken. */
export class LocalMachine {
  readonly #daemon: DaemonProgram;

  constructor(daemon: DaemonProgram) {
    this.#daemon = daemon;
  }

  cpus(): number {
    return hostCpus();
  }

  memoryBytes(): number {
    return hostMemoryBytes();
  }

  /** Undefined when there is no such file. */
  readText(path: string): Promise<string | undefined> {
    return readFileIfThere(path);
  }

  /** Writes the file at once and privately; one behind a link is written where it is, so that the link stays. */
  async writeText(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(await behindLinks(path), text, 0o600);
  }

  /** What the daemon's program says of this machine without serving anybody: a JSON document. */
  async examine({ fix, signal }: { fix: boolean } & Abortable): Promise<unknown> {
    const { program, entry } = this.#daemon;
    const { stdout } = await runCommand(program, [entry, '--examine', ...(fix ? ['--fix'] : [])], {
      signal,
      timeoutMs: EXAMINE_TIMEOUT_MS,
    });
    return JSON.parse(stdout);
  }
}

/** @throws the system error `ENOENT` when a link leads nowhere: replacing it would be a surprise */
async function behindLinks(path: string): Promise<string> {
  return (await pathExists(path)) ? realpath(path) : path;
}
