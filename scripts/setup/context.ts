import type { Stages } from './stages.ts';

export interface SetupContext {
  /** The clone. */
  root: string;
  /** The clone belongs to somebody else: find out whether it is up to date, change nothing. */
  readOnly: boolean;
  /** Install Debian packages without asking. */
  assumeYes: boolean;
  /** Also what only tests need; those that miss it are skipped. */
  forTests: boolean;
  stages: Stages;
}
