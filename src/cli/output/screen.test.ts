import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from './screen.ts';
import { Sink } from './sink.ts';

/** What a terminal shows, of which only what a screen uses is understood. */
class Terminal {
  lines: string[] = ['$ banger vm stats --watch', 'older output'];
  isTTY = true;
  writableLength = 0;
  #row = 2;
  #column = 0;

  write(text: string | Uint8Array): boolean {
    // oxlint-disable-next-line no-control-regex -- that is what a terminal reads
    for (const [piece] of String(text).matchAll(/\u001b\[\d*[A-Z]|\n|[^\n\u001b]+/g)) this.#take(piece);
    return true;
  }

  on(): void {}
  once(): void {}

  #take(piece: string): void {
    if (piece === '\u001b[2J') this.lines = [];
    else if (piece === '\u001b[H') this.#moveTo(0);
    else if (piece === '\u001b[K') this.lines[this.#row] = this.#line().slice(0, this.#column);
    else if (piece === '\u001b[J') this.lines.length = this.#row;
    else if (piece === '\n') this.#moveTo(this.#row + 1);
    else this.#type(piece);
  }

  #moveTo(row: number): void {
    this.#row = row;
    this.#column = 0;
  }

  #type(text: string): void {
    const line = this.#line();
    this.lines[this.#row] = line.slice(0, this.#column) + text + line.slice(this.#column + text.length);
    this.#column += text.length;
  }

  #line(): string {
    return this.lines[this.#row] ?? '';
  }
}

test('each text replaces the one before, also a longer one with longer lines', () => {
  const terminal = new Terminal();
  const screen = new Screen(new Sink(terminal));
  screen.draw('NAME  CPU\nweb   100.0\ndb    2.0\n');
  assert.deepEqual(terminal.lines, ['NAME  CPU', 'web   100.0', 'db    2.0']);
  screen.draw('NAME  CPU\nweb   9.0\n');
  assert.deepEqual(terminal.lines, ['NAME  CPU', 'web   9.0']);
  screen.draw('NAME  CPU\n');
  assert.deepEqual(terminal.lines, ['NAME  CPU']);
});
