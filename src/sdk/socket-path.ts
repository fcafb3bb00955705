import { homeFolder } from '#base/home-folder.ts';
import { resolveLayout } from '#contract/layout.ts';

/** Where the daemon of the invoking user listens. */
export function defaultSocketPath(): string {
  const uid = process.getuid?.() ?? 0;
  // oxlint-disable-next-line node/no-process-env -- a program that uses the SDK has no composition root of ours
  const environment = process.env;
  return resolveLayout(environment, uid, homeFolder(environment)).socketPath;
}
