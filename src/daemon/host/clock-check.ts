import type { Abortable } from '#base/abort.ts';
import { combine, fail, FIX_HINT, warn, type Check, type Verdict } from './check.ts';

export interface ClockCheckOptions {
  now: () => number;
  /** When this build was made: the host's clock cannot be right before it. */
  builtAt: string;
  /** Emulated machines are told the frequency of the time stamp counter; others have the host's clock. */
  isEmulated: () => Promise<boolean>;
  /** In kHz; undefined on machines without the counter. */
  measureTsc: (options: Abortable) => Promise<number | undefined>;
  /** The figure that machines are told, once it was measured. */
  rememberedTsc: () => Promise<number | undefined>;
  forgetTsc: () => Promise<void>;
}

/** Measuring is exact to some millionths; by this much a guest would lose minutes a day. */
const MAX_DRIFT = 0.002;

/** What makes time right in guests. */
export function clockCheck(options: ClockCheckOptions): Check {
  return {
    name: 'clock',
    examine: async ({ signal }) => {
      const host = judgeHostClock(options.now(), options.builtAt);
      if (!(await options.isEmulated())) return combine(host, 'guests read the clock of the host');
      const measured = await options.measureTsc({ signal });
      const guest = judgeTsc(measured, await options.rememberedTsc(), () => options.forgetTsc());
      const figure =
        measured === undefined ? 'this machine has no time stamp counter' : `guests are told ${measured} kHz`;
      return combine([...host, ...guest], figure);
    },
  };
}

function judgeHostClock(now: number, builtAt: string): Verdict[] {
  if (!(now < Date.parse(builtAt))) return []; // a run from the sources has no date
  const message = `the clock of this host says ${new Date(now).toISOString()}, before this banger was made`;
  return [warn(message, 'set it: certificates and package signatures are refused otherwise')];
}

function judgeTsc(
  measured: number | undefined,
  remembered: number | undefined,
  forget: () => Promise<void>,
): Verdict[] {
  if (measured === undefined || remembered === undefined) return [];
  if (Math.abs(measured - remembered) / measured <= MAX_DRIFT) return [];
  const message = `guests are told ${remembered} kHz but the counter runs at ${measured} kHz: their time is wrong`;
  return [{ ...fail(message, FIX_HINT), fixes: [{ action: 'removed the wrong frequency', apply: forget }] }];
}
