import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQmpMessage } from './qmp-messages.ts';

test('what QEMU sends is told apart', () => {
  const greeting =
    '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}';
  assert.deepEqual(parseQmpMessage(greeting), { kind: 'greeting' });
  assert.deepEqual(parseQmpMessage('{"return": {"running": true}, "id": 4}'), {
    kind: 'return',
    id: 4,
    value: { running: true },
  });
  const error =
    '{"id": 5, "error": {"class": "CommandNotFound", "desc": "The command x has not been found"}}';
  assert.deepEqual(parseQmpMessage(error), {
    kind: 'error',
    id: 5,
    errorClass: 'CommandNotFound',
    description: 'The command x has not been found',
  });
  const event =
    '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true}}';
  assert.deepEqual(parseQmpMessage(event), {
    kind: 'event',
    event: { name: 'SHUTDOWN', data: { guest: true } },
  });
  assert.deepEqual(parseQmpMessage('{"event": "STOP"}'), {
    kind: 'event',
    event: { name: 'STOP', data: {} },
  });
});

for (const line of [
  '',
  'SSH-2.0-OpenSSH',
  'null',
  '[]',
  '{}',
  '{"QMP": 1}',
  '{"error": "no"}',
  '{"event": 7}',
  '{"return": 1, "id": "a"}',
]) {
  test(`not QMP: ${line}`, () => {
    assert.throws(() => parseQmpMessage(line));
  });
}
