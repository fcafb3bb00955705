import { raceAbort, withTimeout, isTimeout, type Abortable } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import { signalProcess, waitForProcessExit } from '#host/proc.ts';
import { lastLines } from '#host/run-command.ts';
import { spawnDetached, type DetachedProcess } from '#host/spawn-detached.ts';
import type { Machine } from '../hypervisor.ts';
import { keptArguments, waitForLogKeeper } from './log-keeper.ts';
import { readLog, removeMachineFiles } from './machine-files.ts';
import type { MachinePaths } from './machine-paths.ts';
import { queryStatus } from './query-status.ts';
import { QmpClient, QmpConnectionError } from './qmp.ts';

export interface LaunchPlan {
  id: string;
  /** Starts QEMU and keeps what it and the guest print. */
  keeperPath: string;
  binary: string;
  packageName: string;
  args: readonly string[];
  /** See {@link usesSmallPages}. */
  smallPages: boolean;
  paths: MachinePaths;
  consoleLogPath: string;
  startTimeoutMs: number;
}

/** Starts QEMU and returns when the machine runs; otherwise nothing of it is left. */
export async function launchQemu(plan: LaunchPlan, { signal }: Abortable = {}): Promise<Machine> {
  signal?.throwIfAborted();
  await removeMachineFiles(plan.paths);
  const child = await spawnQemu(plan);
  try {
    await waitUntilRunning(plan, child, signal);
  } catch (error) {
    await signalProcess(child.identity, 'SIGKILL');
    await waitForProcessExit(child.identity);
    await waitForLogKeeper(plan.paths);
    const log = await readLog(plan.paths);
    await removeMachineFiles(plan.paths);
    signal?.throwIfAborted();
    throw startError(plan, log, error);
  }
  return {
    process: child.identity,
    guestSocketPath: plan.paths.agentSocket,
    controlSocketPath: plan.paths.qmpSocket,
  };
}

async function spawnQemu(plan: LaunchPlan): Promise<DetachedProcess> {
  try {
    const command = { argv: [plan.binary, ...plan.args], smallPages: plan.smallPages };
    const args = keptArguments(plan.paths, plan.consoleLogPath, command);
    return await spawnDetached(plan.keeperPath, args, { logPath: plan.paths.log });
  } catch (error) {
    await removeMachineFiles(plan.paths);
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw new UserError(
      'HOST_TOOL_MISSING',
      `Cannot start machine "${plan.id}": "${plan.keeperPath}" is not built`,
      { hint: 'make -C native', cause: error },
    );
  }
}

export function hypervisorMissing(binary: string, packageName: string, cause: unknown): UserError {
  return new UserError('HYPERVISOR_MISSING', `Cannot run machines: "${binary}" is not installed`, {
    hint: `apt-get install ${packageName}`,
    cause,
  });
}

class EndedAtStartError extends Error {
  readonly status: number | null;

  constructor(status: number | null, killedBy: NodeJS.Signals | null) {
    super(`QEMU ended at once with ${killedBy ?? `status ${status}`}`);
    this.name = 'EndedAtStartError';
    this.status = status;
  }
}

/** Of the log keeper, when there is no such program to become. */
const NO_SUCH_PROGRAM = 127;

async function waitUntilRunning(
  plan: LaunchPlan,
  child: DetachedProcess,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ended = new AbortController();
  void child.exited.then(({ code, signal: killedBy }) => {
    ended.abort(new EndedAtStartError(code, killedBy));
  });
  const bound = withTimeout(plan.startTimeoutMs, signal, ended.signal);
  const client = await raceAbort(openQmp(plan.paths.qmpSocket, bound), bound);
  using _ = client;
  await pollUntil(
    async () => ((await queryStatus(client, { signal: bound })) === 'running' ? true : undefined),
    {
      signal: bound,
      maxMs: 10,
    },
  );
}

/** Waiting by asking again every few milliseconds: the socket appears 50 to 100 ms after the start. */
function openQmp(socketPath: string, signal: AbortSignal): Promise<QmpClient> {
  return pollUntil(
    async () => {
      try {
        return await QmpClient.open(socketPath, { signal });
      } catch (error) {
        if (error instanceof QmpConnectionError) return undefined;
        throw error;
      }
    },
    { signal, firstMs: 5, maxMs: 5 },
  );
}

function startError(plan: LaunchPlan, log: string, error: unknown): unknown {
  const stderr = lastLines(log, 20);
  if (error instanceof EndedAtStartError && error.status === NO_SUCH_PROGRAM) {
    return hypervisorMissing(plan.binary, plan.packageName, error);
  }
  if (error instanceof EndedAtStartError || error instanceof QmpConnectionError) {
    const why = stderr === '' ? error.message : lastLines(stderr, 1);
    return new UserError('MACHINE_START_FAILED', `Cannot start machine "${plan.id}": ${why}`, {
      hint: hintFor(stderr),
      details: { stderr },
      cause: error,
    });
  }
  if (!isTimeout(error)) return error;
  return new UserError(
    'MACHINE_START_FAILED',
    `Cannot start machine "${plan.id}": QEMU did not answer within ${plan.startTimeoutMs / 1000} s`,
    {
      hint: 'the host may be too busy: try again; banger doctor says what else may be wrong with it',
      details: { stderr },
      cause: error,
    },
  );
}

function hintFor(stderr: string): string {
  if (/Failed to get "\w+" lock/.test(stderr))
    return 'another process uses the disk: banger ps shows the machines that run';
  if (/Cannot allocate memory|cannot set up guest memory/.test(stderr))
    return 'give the VM less memory: --memory';
  return 'banger doctor says what may be wrong with this host';
}
