import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readFileIfThere, writeFileAtomic } from '#host/files.ts';

const processSchema = z.object({ pid: z.number().int().positive(), startTicks: z.number() });

const guestNetworkSchema = z.object({
  address: z.string(),
  gateway: z.string(),
  dns: z.array(z.string()),
  mtu: z.number(),
  mac: z.string(),
});

const handlesSchema = z.object({
  machine: z
    .object({ process: processSchema, guestSocketPath: z.string(), controlSocketPath: z.string() })
    .optional(),
  network: z.object({ process: processSchema.optional(), guest: guestNetworkSchema }).optional(),
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

  constructor(vmsDir: string) {
    this.#vmsDir = vmsDir;
  }

  get(id: string): Handles {
    return this.#handles.get(id) ?? {};
  }

  async set(id: string, handles: Handles): Promise<void> {
    await writeFileAtomic(this.#path(id), JSON.stringify(handles));
    this.#handles.set(id, handles);
  }

  async clear(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
    this.#handles.delete(id);
  }

  /** Reads the file into the cache. A missing or damaged file is the same as none: the kernel is asked instead. */
  async load(id: string): Promise<Handles> {
    const handles = parseHandles(await readFileIfThere(this.#path(id)));
    this.#handles.set(id, handles);
    return handles;
  }

  #path(id: string): string {
    return join(this.#vmsDir, id, 'handles.json');
  }
}

function parseHandles(text: string | undefined): Handles {
  if (text === undefined) return {};
  try {
    const parsed = handlesSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : {};
  } catch {
    return {}; // truncated by a crash of the host: rebuilt from the kernel
  }
}
