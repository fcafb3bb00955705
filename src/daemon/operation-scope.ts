import { AsyncLocalStorage } from 'node:async_hooks';

/** The operation that the code which runs now belongs to, so that every line it logs can say so. */
const scope = new AsyncLocalStorage<{ readonly operationId: string }>();

export function currentOperation(): { readonly operationId: string } | undefined {
  return scope.getStore();
}

export function runInOperation<T>(operationId: string, body: () => T): T {
  return scope.run({ operationId }, body);
}

/** For work that an operation begins and that outlives it. */
export function runOutsideOperation<T>(body: () => T): T {
  return scope.exit(body);
}
