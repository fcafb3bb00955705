import type { Sink } from './sink.ts';

const CLEAR = '\u001b[2J';
const HOME = '\u001b[H';
const ERASE_TO_END_OF_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** A terminal that shows one text at a time. Each is drawn over the last, so that nothing flickers. */
export class Screen {
  readonly #sink: Sink;
  #isFresh = true;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** `text` ends with a line break. */
  draw(text: string): void {
    const clear = this.#isFresh ? CLEAR : '';
    this.#isFresh = false;
    this.#sink.print(`${clear}${HOME}${text.replaceAll('\n', `${ERASE_TO_END_OF_LINE}\n`)}${ERASE_BELOW}`);
  }
}
