import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DetachedCommand } from '../owner/command.ts';
import {
  decodeAttached,
  decodeAttachOpen,
  decodeCommandList,
  decodeCommandOpen,
  decodeCommandStartOpen,
  decodeStartedCommand,
  encodeAttached,
  encodeAttachOpen,
  encodeCommandList,
  encodeCommandOpen,
  encodeCommandSignalOpen,
  encodeCommandStartOpen,
  encodeStartedCommand,
} from './command-messages.ts';
import { FieldsBuilder } from './fields.ts';
import { decodeLost, encodeLost } from './lost.ts';
import {
  decodeGrownRoot,
  decodeGrowRootOpen,
  decodeIdentityOpen,
  encodeGrownRoot,
  encodeGrowRootOpen,
  encodeIdentityOpen,
} from './machine-messages.ts';
import { MalformedError } from './malformed.ts';
import { Operation, operationOf } from './open.ts';

const RUNNING: DetachedCommand = {
  id: 7,
  pid: 412,
  argv: ['make', 'test'],
  isArgvCut: false,
  tty: true,
  takesInput: true,
  status: 'running',
  startedAt: '2026-11-22T08:00:00.123Z',
  outputBytes: 2 ** 40,
  keptFromByte: 2 ** 39,
  viewers: 2,
};
const ENDED: DetachedCommand = {
  ...RUNNING,
  id: 8,
  user: 'dev',
  status: 'exited',
  signal: 9,
  endedAt: '2026-11-22T08:00:01.000Z',
};

describe('messages about detached commands', () => {
  it('survive the wire', () => {
    const start = { argv: ['a', 'b c'], env: { X: '1' }, tty: false, stdin: true };
    assert.deepEqual(decodeCommandStartOpen(encodeCommandStartOpen(start)), start);
    assert.equal(operationOf(encodeCommandStartOpen(start)), Operation.COMMAND_START);
    assert.deepEqual(decodeStartedCommand(encodeStartedCommand({ id: 3, pid: 99 })), { id: 3, pid: 99 });
    assert.deepEqual(decodeCommandList(encodeCommandList([RUNNING, ENDED])), [RUNNING, ENDED]);
    assert.equal(decodeCommandOpen(encodeCommandOpen(Operation.COMMAND_REMOVE, 3)).id, 3);
    assert.deepEqual(decodeCommandOpen(encodeCommandSignalOpen(3, 15)), { id: 3, signal: 15 });
    const attached = { pid: 5, fromByte: 2 ** 40, tty: false, takesInput: true };
    assert.deepEqual(decodeAttached(encodeAttached(attached)), attached);
    assert.equal(decodeLost(encodeLost(2 ** 40)), 2 ** 40);
    for (const request of [
      { stdin: false },
      { fromByte: 2 ** 40, tailLines: 0, stdin: true, rows: 2, columns: 3 },
    ])
      assert.deepEqual(decodeAttachOpen(encodeAttachOpen(4, request)), { id: 4, ...request });
  });

  it('show the words of a guest without what a terminal would obey', () => {
    const [command] = decodeCommandList(
      encodeCommandList([{ ...RUNNING, argv: ['\u001b[2J', 'x'.repeat(2000)] }]),
    );
    assert.equal(command?.argv[0], '\u{fffd}[2J');
    assert.equal(command.argv[1]?.length, 512);
  });

  it('refuse times that are none', () => {
    const entry = new FieldsBuilder()
      .u32(1, 1)
      .u32(3, 2)
      .u64(4, 2n ** 63n)
      .build();
    assert.throws(() => decodeCommandList(new FieldsBuilder().bytes(1, entry).build()), MalformedError);
  });
});

describe('messages about the machine', () => {
  it('survive the wire', () => {
    assert.deepEqual(decodeGrowRootOpen(encodeGrowRootOpen({ diskBytes: 2 ** 40 })), { diskBytes: 2 ** 40 });
    assert.deepEqual(decodeGrowRootOpen(encodeGrowRootOpen({})), { diskBytes: undefined });
    const grown = { bytesBefore: 1, bytesAfter: 2 ** 40, diskBytes: 2 ** 41 };
    assert.deepEqual(decodeGrownRoot(encodeGrownRoot(grown)), grown);
    assert.deepEqual(decodeIdentityOpen(encodeIdentityOpen({ hostname: 'web-1' })), { hostname: 'web-1' });
  });

  it('refuse what is no host name before it is sent', () => {
    for (const hostname of ['', '-a', 'a b', 'a\n1.2.3.4 evil', 'x'.repeat(64)])
      assert.throws(() => encodeIdentityOpen({ hostname }), { code: 'INVALID_ARGUMENT' });
  });
});

describe('every decoder of these', () => {
  const decoders = {
    decodeAttached,
    decodeAttachOpen,
    decodeCommandList,
    decodeCommandOpen,
    decodeCommandStartOpen,
    decodeGrownRoot,
    decodeGrowRootOpen,
    decodeIdentityOpen,
    decodeLost,
    decodeStartedCommand,
  };
  const value = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 4, maxLength: 4 }));
  const fields = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 13 }), value), { maxLength: 20 })
    .map((entries) =>
      entries.reduce((builder, [tag, bytes]) => builder.bytes(tag, bytes), new FieldsBuilder()).build(),
    );
  const nested = fields.map((entry) => new FieldsBuilder().bytes(1, entry).build());

  for (const [name, decode] of Object.entries(decoders)) {
    it(`${name} survives any payload`, () => {
      fc.assert(
        fc.property(fc.oneof(fields, nested, fc.uint8Array({ maxLength: 64 })), (payload) => {
          try {
            decode(payload);
          } catch (error) {
            assert.ok(error instanceof MalformedError, String(error));
          }
        }),
      );
    });
  }
});
