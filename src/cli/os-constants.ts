import type { constants } from 'node:os';

/** Numbers of signals and errors. Asked for when one is needed: most commands never are, and an import of `node:os` takes 0.3 ms. */
export function osConstants(): typeof constants {
  return process.getBuiltinModule('node:os').constants;
}
