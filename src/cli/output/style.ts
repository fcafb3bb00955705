import type { Environment } from '#base/environment.ts';

export type Paint = (text: string) => string;

/** Colours for one stream: real ones on a terminal, none elsewhere and under NO_COLOR. */
export interface Style {
  good: Paint;
  warning: Paint;
  bad: Paint;
  dim: Paint;
  bold: Paint;
}

const asIs: Paint = (text) => text;
export const plainStyle: Style = { good: asIs, warning: asIs, bad: asIs, dim: asIs, bold: asIs };

// By hand, because an import of node:util evaluates all its exports, workers and diff included: 5 ms.
const paint =
  (on: number, off: number): Paint =>
  (text) =>
    `\u001b[${on}m${text}\u001b[${off}m`;

const colourStyle: Style = {
  good: paint(32, 39),
  warning: paint(33, 39),
  bad: paint(31, 39),
  dim: paint(2, 22),
  bold: paint(1, 22),
};

export function styleFor(stream: { isTTY?: boolean | undefined }, env: Environment): Style {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return stream.isTTY && !refused ? colourStyle : plainStyle;
}
