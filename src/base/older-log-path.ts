/** Where a log is put when it is full and a new one begins, in the place of the one before. */
export function olderLogPath(path: string): string {
  return `${path}.1`;
}
