import { constants } from 'node:os';
import type { ServiceDefinition } from '#contract/guest/service-messages.ts';
import type { VmRun } from '#contract/owner/vm-run.ts';
import { commandOf } from '#contract/vm-command.ts';
import { readVariables } from './variables.ts';

/** As long as Docker waits after the stop signal. */
const GRACE_MS = 10_000;
/** Real-time signals are given by their distance to the first or the last one. */
const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;

/** The service that the agent is to look after; undefined for a VM without one. */
export function serviceOf(run: VmRun | null): ServiceDefinition | undefined {
  if (!run?.isService) return undefined;
  return {
    argv: commandOf(run),
    env: readVariables(run.env ?? []),
    ...(run.workingDir !== undefined && { cwd: run.workingDir }),
    ...(run.user !== undefined && { user: run.user }),
    stopSignal: parseSignal(run.stopSignal) ?? constants.signals.SIGTERM,
    restart: run.restart,
    graceMs: GRACE_MS,
  };
}

/** `SIGQUIT`, `QUIT`, `3`, `SIGRTMIN+3`: what images say. Undefined for what is none. */
export function parseSignal(text: string | undefined): number | undefined {
  const [, base, distance = '0', plain] =
    /^(?:(?:SIG)?(RTMIN|RTMAX)([+-]\d{1,2})?|(\w+))$/.exec(text?.toUpperCase() ?? '') ?? [];
  if (base !== undefined) {
    return realtime((base === 'RTMIN' ? FIRST_REALTIME : LAST_REALTIME) + Number(distance));
  }
  if (plain === undefined) return undefined;
  if (/^\d+$/.test(plain)) return inRange(Number(plain));
  const name = plain.startsWith('SIG') ? plain : `SIG${plain}`;
  return (constants.signals as Partial<Record<string, number>>)[name];
}

function realtime(signal: number): number | undefined {
  return signal >= FIRST_REALTIME ? inRange(signal) : undefined;
}

function inRange(signal: number): number | undefined {
  return signal >= 1 && signal <= LAST_REALTIME ? signal : undefined;
}
