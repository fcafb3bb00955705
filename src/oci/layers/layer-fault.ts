import type { ErrorCode } from '#contract/errors.ts';

const SHOWN_BYTES = 200;

/** Why one layer cannot be taken; whoever knows which layer it is makes a `UserError` of it. */
export class LayerFault extends Error {
  readonly code: ErrorCode;

  constructor(condition: string, code: ErrorCode = 'IMAGE_LAYER_INVALID') {
    super(condition);
    this.name = 'LayerFault';
    this.code = code;
  }
}

/** A name of a member, fit to be shown: names are bytes, held one in each character. */
export function shownName(name: string): string {
  const shown = JSON.stringify(Buffer.from(name.slice(0, SHOWN_BYTES), 'latin1').toString('utf8'));
  return name.length > SHOWN_BYTES ? `${shown}…` : shown;
}
