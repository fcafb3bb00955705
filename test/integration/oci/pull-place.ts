import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { BlobCache } from '#oci/blob-cache.ts';
import { pullImage, type PulledImage, type PullOptions } from '#oci/pull-image.ts';

/** A cache of its own, and pulling into it from registries on this machine. */
export async function makePullPlace(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'pull-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const cache = new BlobCache(join(folder, 'oci'));
  const patience = { attempts: 3, pauseMs: 5, maxRetryAfterMs: 2000 };
  const pull = (reference: string, options: Partial<PullOptions> = {}): Promise<PulledImage> =>
    pullImage(reference, { cache, insecureHttp: true, stallMs: 1000, patience, ...options });
  return { folder, cache, pull };
}
