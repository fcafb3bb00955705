import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Interruption } from './interruption.ts';
import { StopSignals } from './stop-signals.ts';

test('the handler gets signals with their count, the next one what came in between', () => {
  const source = new EventEmitter();
  using signals = new StopSignals(source);
  const seen: string[] = [];
  const first = signals.handle((signal, count) => seen.push(`first ${signal} ${count}`));
  source.emit('SIGINT', 'SIGINT');
  source.emit('SIGTERM', 'SIGTERM');
  first[Symbol.dispose]();
  source.emit('SIGINT', 'SIGINT');
  using _ = signals.handle((signal, count) => seen.push(`second ${signal} ${count}`));
  source.emit('SIGINT', 'SIGINT');
  assert.deepEqual(seen, ['first SIGINT 1', 'first SIGTERM 2', 'second SIGINT 1', 'second SIGINT 2']);
});

test('what waits can be thrown instead', () => {
  const source = new EventEmitter();
  using signals = new StopSignals(source);
  signals.throwIfWaiting();
  source.emit('SIGINT', 'SIGINT');
  assert.throws(
    () => signals.throwIfWaiting(),
    (error) => error instanceof Interruption && error.exitStatus === 130,
  );
  signals.putBack('SIGTERM');
  assert.throws(
    () => signals.throwIfWaiting(),
    (error) => error instanceof Interruption && error.exitStatus === 143,
  );
  signals.throwIfWaiting();
});

test('signals are left alone afterwards', () => {
  const source = new EventEmitter();
  new StopSignals(source)[Symbol.dispose]();
  assert.deepEqual(source.eventNames(), []);
});
