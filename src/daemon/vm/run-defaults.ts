import type { ExecRequest } from '#contract/owner/exec.ts';
import type { VmRun } from '#contract/owner/vm-run.ts';
import { readVariables } from './variables.ts';

/** A command with what its VM gives every command that does not say otherwise: variables, working folder, user. */
export function withRunDefaults<T extends ExecRequest>(request: T, run: VmRun | undefined): T {
  if (!run) return request;
  const cwd = request.cwd ?? run.workingDir;
  const user = request.user ?? run.user;
  return {
    ...request,
    env: { ...readVariables(run.env ?? []), ...request.env },
    ...(cwd !== undefined && { cwd }),
    ...(user !== undefined && { user }),
  };
}
