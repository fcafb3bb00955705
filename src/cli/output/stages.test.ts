import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageDisplay } from './stages.ts';
import { plainStyle } from './style.ts';

class Screen {
  readonly columns = 60;
  readonly isTTY: boolean;
  written = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  print(text: string): void {
    this.written += text;
  }

  /** What stands on each line in the end. */
  get lines(): string[] {
    return this.written.split('\n').map((line) => line.split('\r\u001b[2K').at(-1) ?? '');
  }
}

function play(screen: Screen, ms: { now: number }): StageDisplay {
  const display = new StageDisplay({ stream: screen, style: plainStyle, now: () => ms.now });
  display.update({ stage: 'resolve-image', detail: 'build it' });
  ms.now = 250;
  display.update({
    stage: 'resolve-image',
    detail: 'fetch packages',
    progress: { done: 512, total: 2048, unit: 'bytes' },
  });
  ms.now = 1000;
  display.update({ stage: 'wait-for-agent' });
  ms.now = 3500;
  return display;
}

test('without a terminal each step and each new detail is a line', () => {
  const screen = new Screen(false);
  play(screen, { now: 0 }).finish();
  assert.equal(
    screen.written,
    '  resolve image: build it\n  resolve image: fetch packages\n  wait for agent\n',
  );
});

test('on a terminal a step is one line that ends with its time', () => {
  const screen = new Screen(true);
  const display = play(screen, { now: 0 });
  assert.deepEqual(screen.lines, ['  resolve image 1.0s', '  wait for agent 0.0s']);
  assert.match(screen.written, /resolve image 0\.3s {2}fetch packages {2}25% of 2 KiB/);
  display.finish();
  assert.deepEqual(screen.lines, ['  resolve image 1.0s', '  wait for agent 2.5s', '']);
});

test('a step that fails is wiped, not called done', () => {
  const screen = new Screen(true);
  play(screen, { now: 0 })[Symbol.dispose]();
  assert.deepEqual(screen.lines, ['  resolve image 1.0s', '']);
});

test('a line never wraps, and control characters do not reach the terminal', () => {
  const screen = new Screen(true);
  using display = new StageDisplay({ stream: screen, style: plainStyle, now: () => 0 });
  display.update({ stage: 'x', detail: `\u001b[2J${'y'.repeat(100)}` });
  const [line = ''] = screen.lines;
  assert.equal(line.length, 59);
  assert.match(line, /^ {2}x 0\.0s {2}\?\[2Jyyy/);
});
