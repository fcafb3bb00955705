import { Transform } from 'node:stream';

/** Ctrl-P Ctrl-Q, as elsewhere. */
const FIRST = 0x10;
const SECOND = 0x11;

/**
 * Keys on their way to a guest's terminal. The two that mean "leave" end the way; the first of them alone waits for
 * the key after it.
 */
export function filterDetachKeys(onDetach: () => void): Transform {
  let isHeld = false;
  let hasLeft = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const passed: number[] = [];
      for (const key of chunk) {
        if (hasLeft) break;
        if (isHeld && key === SECOND) hasLeft = true;
        else if (isHeld) passed.push(FIRST);
        isHeld = !hasLeft && key === FIRST;
        if (!hasLeft && !isHeld) passed.push(key);
      }
      if (hasLeft) onDetach();
      done(null, Buffer.from(passed));
    },
    flush(done) {
      done(null, isHeld ? Buffer.from([FIRST]) : undefined);
    },
  });
}
