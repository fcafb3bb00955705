import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GiB, MiB } from '#base/sizes.ts';
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

/** Reports of a download each 100 ms, at 10 MiB/s. */
function download(display: StageDisplay, ms: { now: number }, untilMs: number): void {
  for (let done = (ms.now / 100) * MiB; ms.now <= untilMs; ms.now += 100, done += MiB) {
    display.update({
      stage: 'download',
      detail: '2 layers',
      progress: { done, total: 2 * GiB, unit: 'bytes' },
    });
  }
  ms.now -= 100;
}

test('bytes come with their rate once there is one', () => {
  const screen = new Screen(true);
  const ms = { now: 0 };
  using display = new StageDisplay({ stream: screen, style: plainStyle, now: () => ms.now });
  download(display, ms, 400);
  assert.equal(screen.lines.at(-1), '  download 0.4s  2 layers  0% of 2 GiB');
  download(display, ms, 3000);
  assert.equal(screen.lines.at(-1), '  download 3.0s  2 layers  1% of 2 GiB, 10 MiB/s');
  ms.now = 9000;
  const progress = { done: 30 * MiB, total: 2 * GiB, unit: 'bytes' } as const;
  display.update({ stage: 'download', progress });
  assert.equal(screen.lines.at(-1), '  download 9.0s  1% of 2 GiB, 0 B/s');
  display.update({ stage: 'download', progress: { ...progress, done: 2 * GiB } });
  assert.equal(screen.lines.at(-1), '  download 9.0s  100% of 2 GiB');
  display.update({ stage: 'unpack', progress });
  assert.equal(screen.lines.at(-1), '  unpack 0.0s  1% of 2 GiB');
});

test('a number of items has no rate', () => {
  const screen = new Screen(true);
  const ms = { now: 0 };
  using display = new StageDisplay({ stream: screen, style: plainStyle, now: () => ms.now });
  for (const done of [1, 2, 3, 4]) {
    ms.now = done * 1000;
    display.update({ stage: 'install', progress: { done, total: 8, unit: 'items' } });
  }
  assert.equal(screen.lines.at(-1), '  install 3.0s  50% of 8');
});

test('without a terminal a long download is a line each ten seconds, a short one none', () => {
  const screen = new Screen(false);
  const ms = { now: 0 };
  using display = new StageDisplay({ stream: screen, style: plainStyle, now: () => ms.now });
  download(display, ms, 9900);
  assert.deepEqual(screen.lines, ['  download: 2 layers', '']);
  download(display, ms, 25_000);
  assert.deepEqual(screen.lines, [
    '  download: 2 layers',
    '  download: 4% of 2 GiB, 10 MiB/s',
    '  download: 9% of 2 GiB, 10 MiB/s',
    '',
  ]);
});

test('without a terminal a download that stands still says nothing', () => {
  const screen = new Screen(false);
  const ms = { now: 0 };
  using display = new StageDisplay({ stream: screen, style: plainStyle, now: () => ms.now });
  const update = { stage: 'download', progress: { done: 5, total: 9, unit: 'bytes' } } as const;
  for (ms.now = 0; ms.now < 60_000; ms.now += 1000) display.update(update);
  display.update({ stage: 'unpack', progress: { done: 7, total: 9, unit: 'bytes' } });
  assert.deepEqual(screen.lines, ['  download', '  unpack', '']);
});
