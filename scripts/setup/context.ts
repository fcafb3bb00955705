import type { Stages } from './stages.ts';

/** What is set up besides what running banger needs. */
export type Extras = 'nothing' | 'tests' | 'bench';

export interface SetupContext {
  /** The clone. */
  root: string;
  /** The clone belongs to somebody else: find out whether it is up to date, change nothing. */
  readOnly: boolean;
  /** Install Debian packages without asking. */
  assumeYes: boolean;
  extras: Extras;
  stages: Stages;
}
