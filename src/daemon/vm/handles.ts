import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { networkModeSchema } from '#contract/owner/vm.ts';
import { readFileIfThere, writeFileAtomic } from '#host/files.ts';

const processSchema = z.object({ pid: z.number().int().positive(), startTicks: z.number() });

const guestNetworkSchema = z.object({
  address: z.string(),
  gateway: z.string(),
  dns: z.array(z.string()),
  mtu: z.number(),
  mac: z.string(),
});

/** What the machine was launched with: the record may have changed since. */
const launchedSchema = z.object({
  name: z.string(),
  vcpus: z.number(),
  memoryMiB: z.number(),
  diskBytes: z.number(),
  network: networkModeSchema,
});
export type Launched = z.infer<typeof launchedSchema>;

const handlesSchema = z.object({
  machine: z
    .object({ process: processSchema, guestSocketPath: z.string(), controlSocketPath: z.string() })
    .optional(),
  network: z.object({ process: processSchema.optional(), guest: guestNetworkSchema }).optional(),
  launched: launchedSchema.optional(),
});

/** What runs for one VM at the moment. Rebuilt from the kernel when the file is lost. */
export type Handles = z.infer<typeof handlesSchema>;

/**
 * The handles of all VMs: a cache over one `handles.json` in each VM's folder.
 * The file is written before the cache, so that a crash leaves the disk ahead of memory, never behind.
 */
export class HandleCache {
  readonly #vmsDir: string;
  readonly #handles = new Map<string, Handles>();
  /** What the files are known to hold. */
  readonly #saved = new Map<string, Handles>();

  constructor(vmsDir: string) {
    this.#vmsDir = vmsDir;
  }

  get(id: string): Handles {
    return this.#handles.get(id) ?? {};
  }

  /** Writes nothing when the file says so already: a machine can be adopted on a full file system. */
  async set(id: string, handles: Handles): Promise<void> {
    if (!isDeepStrictEqual(this.#saved.get(id), handles)) await this.rewrite(id, handles);
    this.#handles.set(id, handles);
  }

  /** For a file that is not what it was when it was written. */
  async rewrite(id: string, handles: Handles): Promise<void> {
    await writeFileAtomic(this.#path(id), JSON.stringify(handles));
    this.#saved.set(id, handles);
    this.#handles.set(id, handles);
  }

  async clear(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
    this.#saved.delete(id);
    this.#handles.delete(id);
  }

  /** Reads the file into the cache. A missing or damaged file is the same as none: the kernel is asked instead. */
  async load(id: string): Promise<Handles> {
    const { file, handles } = await this.inspect(id);
    this.#handles.set(id, handles);
    if (file === 'read') this.#saved.set(id, handles);
    else this.#saved.delete(id);
    return handles;
  }

  /** Reads the file and nothing else. */
  async inspect(id: string): Promise<{ file: 'missing' | 'unreadable' | 'read'; handles: Handles }> {
    const text = await readFileIfThere(this.#path(id));
    if (text === undefined) return { file: 'missing', handles: {} };
    const handles = parseHandles(text);
    return handles ? { file: 'read', handles } : { file: 'unreadable', handles: {} };
  }

  #path(id: string): string {
    return join(this.#vmsDir, id, 'handles.json');
  }
}

function parseHandles(text: string): Handles | undefined {
  try {
    return handlesSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // truncated by a crash of the host: rebuilt from the kernel
  }
}
