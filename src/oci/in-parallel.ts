import type { Abortable } from '#base/abort.ts';

export interface ParallelOptions extends Abortable {
  limit: number;
}

/** Works on all items, so many at a time. The first failure aborts the others; it is thrown when all have ended. */
export async function inParallel<Item>(
  items: readonly Item[],
  { limit, signal }: ParallelOptions,
  work: (item: Item, options: { signal: AbortSignal }) => Promise<unknown>,
): Promise<void> {
  const controller = new AbortController();
  const all = AbortSignal.any([controller.signal, ...(signal ? [signal] : [])]);
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      all.throwIfAborted();
      await work(item, { signal: all });
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, () =>
    worker().catch((error: unknown) => {
      controller.abort(error);
    }),
  );
  await Promise.all(workers);
  all.throwIfAborted();
}
