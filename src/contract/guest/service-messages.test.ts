import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isUserError } from '../errors.ts';
import type { ServiceStatus } from '../owner/service.ts';
import { FieldsBuilder } from './fields.ts';
import { MalformedError } from './malformed.ts';
import { Operation, operationOf } from './open.ts';
import {
  decodeDefinedStatus,
  decodeDefineServiceOpen,
  decodeServiceStatus,
  decodeStopServiceOpen,
  encodeDefineServiceOpen,
  encodeServiceStatus,
  encodeStopServiceOpen,
} from './service-messages.ts';
import type { ServiceDefinition } from './service-messages.ts';

const DEFINITION: ServiceDefinition = {
  argv: ['nginx', '-g', 'daemon off;'],
  env: { PATH: '/usr/bin', EMPTY: '' },
  cwd: '/srv/new',
  user: 'www:33',
  stopSignal: 3,
  restart: 'on-failure',
  graceMs: 2500,
};

describe('messages about the service', () => {
  it('survive the wire', () => {
    const open = encodeDefineServiceOpen({ definition: DEFINITION, replace: true });
    assert.equal(operationOf(open), Operation.SERVICE_DEFINE);
    assert.deepEqual(decodeDefineServiceOpen(open), { definition: DEFINITION, replace: true });
    assert.equal(decodeStopServiceOpen(encodeStopServiceOpen(700)), 700);
    assert.equal(decodeStopServiceOpen(encodeStopServiceOpen()), undefined);
    for (const status of STATUSES) assert.deepEqual(decodeServiceStatus(encodeServiceStatus(status)), status);
    assert.equal(decodeServiceStatus(encodeServiceStatus(undefined)), undefined);
  });

  it('leave out what is not defined, and fill in what is usual', () => {
    const open = encodeDefineServiceOpen({
      definition: { argv: ['a'], env: {}, restart: 'no' },
      replace: false,
    });
    const { definition } = decodeDefineServiceOpen(open);
    assert.partialDeepStrictEqual(definition, { stopSignal: 15, graceMs: 10_000, restart: 'no' });
    assert.equal(definition.cwd, undefined);
    assert.equal(definition.user, undefined);
  });

  it('refuse a definition that cannot be one', () => {
    const bad: Partial<ServiceDefinition>[] = [
      { argv: [] },
      { argv: ['a\0b'] },
      { stopSignal: 0 },
      { stopSignal: 65 },
      { stopSignal: 1.5 },
      { graceMs: -1 },
      { graceMs: 600_001 },
      { env: { 'A=B': 'c' } },
    ];
    for (const part of bad) {
      const definition = { ...DEFINITION, ...part };
      assert.throws(
        () => encodeDefineServiceOpen({ definition, replace: false }),
        (error) => isUserError(error, 'INVALID_ARGUMENT'),
      );
    }
    const definition = { ...DEFINITION, argv: ['x'.repeat(70_000)] };
    assert.throws(
      () => encodeDefineServiceOpen({ definition, replace: false }),
      (error) => isUserError(error, 'REQUEST_TOO_LARGE'),
    );
  });

  it('trust nothing of a hostile guest', () => {
    const state = (name: string) => new FieldsBuilder().text(1, name);
    const bad = [
      state('running'), // without a number of starts
      state('dancing').u32(3, 1),
      state('exited')
        .u32(3, 1)
        .u64(4, 2n ** 63n),
      state('exited').u32(3, 1).bytes(6, new Uint8Array(0)),
      state('exited').u32(3, 1).bytes(6, new FieldsBuilder().u32(1, 256).build()),
      state('failed')
        .u32(3, 1)
        .bytes(7, Uint8Array.of(1, 2, 3)),
      state('running').u32(3, 1).bytes(2, Uint8Array.of(1)),
    ];
    for (const fields of bad) assert.throws(() => decodeServiceStatus(fields.build()), MalformedError);
    assert.throws(() => decodeDefinedStatus(new Uint8Array(0)), MalformedError);
    const loud = new FieldsBuilder().text(1, 'NOT_FOUND').text(2, `\u001b[2J${'x'.repeat(5000)}`);
    const status = decodeDefinedStatus(state('failed').u32(3, 0).bytes(7, loud.build()).build());
    assert.ok((status.failure?.message.length ?? 0) <= 1024);
    assert.ok(!status.failure?.message.includes('\u001b'));
  });

  it('read any bytes without harm', () => {
    const anyBytes = fc.uint8Array({ maxLength: 200 });
    const check = (bytes: Uint8Array) => {
      try {
        decodeServiceStatus(bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedError);
      }
    };
    fc.assert(fc.property(anyBytes, check));
  });
});

const STATUSES: ServiceStatus[] = [
  { state: 'starting', starts: 0 },
  { state: 'running', starts: 1, pid: 412, startedAt: '2026-11-22T08:00:00.123Z' },
  {
    state: 'backoff',
    starts: 7,
    startedAt: '2026-11-22T08:00:00.123Z',
    endedAt: '2026-11-22T08:00:01.000Z',
    lastExit: { signal: 9 },
    restartInMs: 6400,
  },
  { state: 'exited', starts: 1, lastExit: { exitCode: 0 } },
  { state: 'failed', starts: 0, failure: { code: 'NOT_FOUND', message: 'Cannot run "x": No such file' } },
];
