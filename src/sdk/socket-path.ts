import { homedir } from 'node:os';
import { resolveLayout } from '#contract/layout.ts';

/** Where the daemon of the invoking user listens. */
export function defaultSocketPath(): string {
  const uid = process.getuid?.() ?? 0;
  // oxlint-disable-next-line node/no-process-env -- a program that uses the SDK has no composition root of ours
  return resolveLayout(process.env, uid, homedir()).socketPath;
}
