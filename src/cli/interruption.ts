import { osConstants } from './os-constants.ts';

/** The user asked to stop, and it stopped. */
export class Interruption extends Error {
  readonly exitStatus: number;

  constructor(signal: NodeJS.Signals, message = 'interrupted') {
    super(message);
    this.name = 'Interruption';
    this.exitStatus = exitStatusOfSignal(signal);
  }
}

/** As shells report it: 130 after Ctrl-C. */
export function exitStatusOfSignal(signal: NodeJS.Signals): number {
  return 128 + osConstants().signals[signal];
}
