import { resolveLayout } from '#contract/layout.ts';

/** Where the daemon of the invoking user listens. */
export function defaultSocketPath(): string {
  const uid = process.getuid?.() ?? 0;
  // oxlint-disable-next-line node/no-process-env -- a program that uses the SDK has no composition root of ours
  return resolveLayout(process.env, uid, process.env['HOME'] ?? homeOf()).socketPath;
}

/** As the list of users has it. Not imported: most have the variable, and loading `node:os` takes 0.3 ms. */
const homeOf = () => process.getBuiltinModule('node:os').homedir();
