/**
 * Gives every key to the guest, Ctrl-C included, until disposed. The terminal is put back on every way out of this process
 * that runs code of ours.
 */
export function enterRawMode(stdin: NodeJS.ReadStream): Disposable {
  const before = stdin.isRaw;
  const restore = () => {
    stdin.setRawMode(before);
  };
  stdin.setRawMode(true);
  process.once('exit', restore);
  return {
    [Symbol.dispose]() {
      process.removeListener('exit', restore);
      restore();
    },
  };
}
