import type { ExecResult } from '#contract/owner/exec.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';

/** `running, pid 312, started 3 times, the last time it ended with status 1`. */
export function formatService(status: ServiceStatus): string {
  const { state, pid, starts, lastExit, failure, restartInMs } = status;
  return [
    state,
    pid === undefined ? '' : `pid ${pid}`,
    restartInMs === undefined ? '' : `starts again in ${restartInMs} ms`,
    starts > 1 ? `started ${starts} times` : '',
    lastExit ? `the last time it ${formatEnd(lastExit)}` : '',
    failure?.message ?? '',
  ]
    .filter(Boolean)
    .join(', ');
}

function formatEnd({ exitCode, signal }: ExecResult): string {
  return signal === undefined
    ? `ended with status ${exitCode ?? 'unknown'}`
    : `was ended by signal ${signal}`;
}
