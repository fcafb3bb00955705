import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isUserError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import {
  decodeExecOpen,
  decodeExecResult,
  decodeExecStarted,
  encodeExecOpen,
  encodeExecResult,
  encodeExecStarted,
} from './exec-messages.ts';
import { FieldsBuilder } from './fields.ts';
import {
  decodeCredit,
  decodeResize,
  decodeSignal,
  encodeCredit,
  encodeResize,
  encodeSignal,
} from './flow-control.ts';
import { decodeGuestFailure, encodeGuestFailure } from './guest-error.ts';
import { decodeHello, decodeHelloOk, encodeHello, encodeHelloOk } from './hello.ts';
import type { AgentHello } from './hello.ts';
import { MalformedError } from './malformed.ts';
import { decodePorts, encodePorts } from './port-messages.ts';
import type { ListeningPort } from './port-messages.ts';
import { decodePowerOffOpen, encodePowerOffOpen } from './power-off-messages.ts';
import { decodeStats, encodeStats } from './stats-messages.ts';
import {
  decodeTarInOpen,
  decodeTarOutOpen,
  decodeTarResult,
  decodeConnectOpen,
  encodeTarInOpen,
  encodeTarOutOpen,
  encodeTarResult,
  encodeTcpConnectOpen,
} from './transfer-messages.ts';

const HELLO_OK: AgentHello = {
  generation: 1,
  bootId: '2f5a9d3e-0000-4000-8000-0123456789ab',
  agentVersion: '0.1.0',
  init: 'systemd',
  kernelRelease: '6.1.0-28-cloud-amd64',
  readyUptimeMs: 1312,
  lowestGeneration: 1,
  highestGeneration: 1,
};

const DECODERS = {
  decodeHello,
  decodeHelloOk,
  decodeExecOpen,
  decodeExecStarted,
  decodeExecResult,
  decodeGuestFailure,
  decodePorts,
  decodeStats,
  decodeTarInOpen,
  decodeTarOutOpen,
  decodeTarResult,
  decodeConnectOpen,
  decodePowerOffOpen,
  decodeCredit,
  decodeSignal,
  decodeResize,
};

function isCode(code: ErrorCode) {
  return (error: unknown) => isUserError(error, code);
}

describe('greetings', () => {
  it('survive the wire', () => {
    const hello = {
      nonce: new Uint8Array(16).fill(3),
      lowestGeneration: 1,
      highestGeneration: 2,
      entropy: Uint8Array.of(7),
    };
    assert.deepEqual(decodeHello(encodeHello(hello)), hello);
    const withClock = { ...hello, wallClockNs: 1_800_000_000_123_456_789n };
    assert.deepEqual(decodeHello(encodeHello(withClock)), withClock);
    assert.deepEqual(decodeHelloOk(encodeHelloOk(HELLO_OK)), HELLO_OK);
  });

  it('of a guest are bounded and printable', () => {
    const kernelRelease = `\u001b[31m${'x'.repeat(500)}`;
    const decoded = decodeHelloOk(encodeHelloOk({ ...HELLO_OK, kernelRelease }));
    assert.equal(decoded.kernelRelease.length, 128);
    assert.ok(!decoded.kernelRelease.includes('\u001b'));
    assert.throws(() => decodeHelloOk(encodeHelloOk({ ...HELLO_OK, bootId: '../../etc' })), MalformedError);
  });
});

describe('exec messages', () => {
  it('carry any words', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), word, (argv, value) => {
        fc.pre(argv[0] !== '');
        const request = {
          argv,
          env: { NAME: value },
          cwd: '/w',
          user: 'dev:dev',
          tty: true,
          rows: 1,
          columns: 2,
        };
        assert.deepEqual(decodeExecOpen(encodeExecOpen(request)), request);
      }),
    );
  });

  it('carry results', () => {
    assert.deepEqual(decodeExecStarted(encodeExecStarted({ pid: 77 })), { pid: 77 });
    assert.deepEqual(decodeExecResult(encodeExecResult({ exitCode: 255 })), { exitCode: 255 });
    assert.deepEqual(decodeExecResult(encodeExecResult({ signal: 9 })), { signal: 9 });
  });

  it('refuse results that say neither or both', () => {
    for (const result of [
      {},
      { exitCode: 0, signal: 1 },
      { exitCode: 256 },
      { signal: 0 },
      { signal: 128 },
    ]) {
      assert.throws(() => decodeExecResult(encodeExecResult(result)), MalformedError, JSON.stringify(result));
    }
  });

  it('refuse what cannot be run', () => {
    assert.throws(() => encodeExecOpen({ argv: [] }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeExecOpen({ argv: [''] }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeExecOpen({ argv: ['a', 'b\0'] }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeExecOpen({ argv: ['a'], env: { 'A=B': '' } }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeExecOpen({ argv: ['a'], cwd: 'x\0' }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeExecOpen({ argv: ['a', 'x'.repeat(65_536)] }), isCode('REQUEST_TOO_LARGE'));
  });
});

describe('messages of the other operations', () => {
  it('survive the wire', () => {
    const tarIn = { folder: '/srv', replace: true, keepOwners: false };
    assert.deepEqual(decodeTarInOpen(encodeTarInOpen(tarIn)), tarIn);
    const tarOut = { path: '/srv', names: ['a', 'b/c'] };
    assert.deepEqual(decodeTarOutOpen(encodeTarOutOpen(tarOut)), tarOut);
    assert.deepEqual(decodeTarResult(encodeTarResult({ entries: 3, bytes: 2 ** 45 })), {
      entries: 3,
      bytes: 2 ** 45,
    });
    assert.deepEqual(decodeConnectOpen(encodeTcpConnectOpen({ port: 80, host: '::1' })), {
      port: 80,
      host: '::1',
    });
    const powerOff = { graceMs: 500, mode: 'now' } as const;
    assert.deepEqual(decodePowerOffOpen(encodePowerOffOpen(powerOff)), powerOff);
    assert.deepEqual(decodePowerOffOpen(encodePowerOffOpen({})), { graceMs: 8000, mode: 'init' });
    const failure = { code: 'DENIED', message: 'no', errno: 13 } as const;
    assert.deepEqual(decodeGuestFailure(encodeGuestFailure(failure)), failure);
    assert.equal(decodeCredit(encodeCredit(65_536)), 65_536);
    assert.equal(decodeSignal(encodeSignal(15)), 15);
    assert.deepEqual(decodeResize(encodeResize({ rows: 50, columns: 65_535 })), {
      rows: 50,
      columns: 65_535,
    });
  });

  it('refuse relative paths and impossible ports', () => {
    assert.throws(() => encodeTarInOpen({ folder: 'srv' }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeTarOutOpen({ path: './srv' }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeTcpConnectOpen({ port: 65_536 }), isCode('INVALID_ARGUMENT'));
    assert.throws(() => encodeTcpConnectOpen({ port: 1.5 }), isCode('INVALID_ARGUMENT'));
  });

  it('list ports of both families', () => {
    const ports: ListeningPort[] = [
      { protocol: 'tcp', address: '0.0.0.0', port: 22, inode: 5, pid: 1, processName: 'sshd' },
      { protocol: 'udp', address: '127.0.0.53', port: 53, inode: 6 },
      { protocol: 'tcp', address: '::', port: 3000, inode: 7 },
      { protocol: 'tcp', address: 'fe80::1:2', port: 3001, inode: 8 },
    ];
    assert.deepEqual(decodePorts(encodePorts(ports)), ports);
  });

  it('carry stats', () => {
    const stats = {
      loadAverage: [0.5, 1.25, 99] as [number, number, number],
      memory: {
        totalBytes: 6,
        freeBytes: 5,
        availableBytes: 4,
        cachedBytes: 3,
        swapTotalBytes: 2,
        swapFreeBytes: 1,
      },
      uptimeMs: 1234,
      processes: 7,
      cpuTicks: { user: 1, nice: 2, system: 3, idle: 4, iowait: 5, irq: 6, softirq: 7, steal: 8 },
      disks: [{ mountPoint: '/', totalBytes: 30, freeBytes: 20, availableBytes: 10 }],
      networks: [{ name: 'eth0', receivedBytes: 1, sentBytes: 2, receivedPackets: 3, sentPackets: 4 }],
    };
    assert.deepEqual(decodeStats(encodeStats(stats)), stats);
  });

  it('read an unknown error code of a newer agent as IO', () => {
    const payload = new FieldsBuilder().text(1, 'NEW_CODE').text(2, 'odd\nthing').build();
    assert.deepEqual(decodeGuestFailure(payload), {
      code: 'IO',
      message: 'odd\u{fffd}thing',
      errno: undefined,
    });
  });
});

describe('every decoder', () => {
  for (const [name, decode] of Object.entries(DECODERS)) {
    it(`${name} survives any payload`, () => {
      const fields = fc
        .array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.uint8Array({ maxLength: 80 })))
        .map((entries) =>
          entries.reduce((builder, [tag, value]) => builder.bytes(tag, value), new FieldsBuilder()).build(),
        );
      fc.assert(
        fc.property(fc.oneof(fields, fc.uint8Array({ maxLength: 64 })), (payload) => {
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
