import type { Abortable } from '#base/abort.ts';

/** What commands do on this machine without the daemon, because it may be what is broken. */
export interface LocalMachine {
  cpus(): number;
  memoryBytes(): number;
  /** Undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>;
  /** At once and privately; a link stays one. */
  writeText(path: string, text: string): Promise<void>;
  /** What the daemon's program says of this machine without serving anybody: a JSON document. */
  examine(options: { fix: boolean } & Abortable): Promise<unknown>;
}
