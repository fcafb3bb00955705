import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { systemErrorCode } from '#base/errors.ts';
import { GuestStream } from '#contract/guest/flow-control.ts';
import { decodeGrowRootOpen, decodeIdentityOpen, encodeGrownRoot } from '#contract/guest/machine-messages.ts';
import { Operation, operationOf } from '#contract/guest/open.ts';
import { encodePorts } from '#contract/guest/port-messages.ts';
import { decodePowerOffOpen } from '#contract/guest/power-off-messages.ts';
import { encodeStats } from '#contract/guest/stats-messages.ts';
import {
  decodeConnectOpen,
  decodeTarInOpen,
  decodeTarOutOpen,
  encodeTarResult,
} from '#contract/guest/transfer-messages.ts';
import { FakeFailure } from './fake-channel.ts';
import type { FakeChannel } from './fake-channel.ts';
import { runFakeExec } from './fake-exec.ts';
import { findProgram } from './find-program.ts';
import { connectUdp, listPorts } from './fake-ports.ts';
import type { FakeGuestState } from './fake-guest-state.ts';

/** Does what an `OPEN` asks for and answers on its channel. @throws FakeFailure, MalformedError */
export async function runFakeOperation(
  channel: FakeChannel,
  open: Uint8Array,
  state: FakeGuestState,
): Promise<void> {
  switch (operationOf(open)) {
    case Operation.EXEC:
      return runFakeExec(channel, open, state);
    case Operation.TAR_IN:
      return takeTar(channel, open, state);
    case Operation.TAR_OUT:
      return giveTar(channel, open, state);
    case Operation.TCP_CONNECT:
      return connect(channel, open);
    case Operation.UDP_CONNECT:
      return connectUdp(channel, open);
    case Operation.PORTS:
      return channel.result(encodePorts(listPorts(state.ports, open)));
    case Operation.STATS:
      return channel.result(encodeStats(state.stats));
    case Operation.SYNC:
      state.syncs += 1;
      return channel.result();
    case Operation.POWER_OFF:
      return powerOff(channel, open, state);
    case Operation.GROW_ROOT:
      return growRoot(channel, open, state);
    case Operation.SET_IDENTITY:
      state.identity = { ...state.identity, ...decodeIdentityOpen(open) };
      return channel.result();
    default:
      return runLastingOperation(channel, open, state);
  }
}

/** What is about that which outlives sessions. */
async function runLastingOperation(
  channel: FakeChannel,
  open: Uint8Array,
  state: FakeGuestState,
): Promise<void> {
  switch (operationOf(open)) {
    case Operation.COMMAND_START:
      return state.commands.start(channel, open, (name) => findProgram(name, state.programs));
    case Operation.COMMAND_LIST:
      return state.commands.list(channel);
    case Operation.COMMAND_ATTACH:
      return state.commands.attach(channel, open);
    case Operation.COMMAND_SIGNAL:
      return state.commands.signal(channel, open);
    case Operation.COMMAND_REMOVE:
      return state.commands.remove(channel, open);
    case Operation.SERVICE_DEFINE:
      return state.service.define(channel, open);
    case Operation.SERVICE_STATUS:
      return state.service.report(channel);
    case Operation.SERVICE_STOP:
      return state.service.stop(channel);
    case Operation.SERVICE_START:
      return state.service.start(channel);
    default:
      throw new FakeFailure('UNSUPPORTED', `operation ${operationOf(open)}`);
  }
}

async function powerOff(channel: FakeChannel, open: Uint8Array, state: FakeGuestState): Promise<void> {
  state.syncs += 1;
  state.poweredOff = true;
  channel.opened();
  await state.service.end();
  state.onPowerOff(decodePowerOffOpen(open));
}

/** Its disk is as large as the host says, and all of it is file system. */
function growRoot(channel: FakeChannel, open: Uint8Array, state: FakeGuestState): void {
  const { diskBytes = state.rootBytes } = decodeGrowRootOpen(open);
  const bytesAfter = Math.max(state.rootBytes, diskBytes);
  channel.result(encodeGrownRoot({ bytesBefore: state.rootBytes, bytesAfter, diskBytes: bytesAfter }));
  state.rootBytes = bytesAfter;
}

async function takeTar(channel: FakeChannel, open: Uint8Array, state: FakeGuestState): Promise<void> {
  const { folder } = decodeTarInOpen(open);
  channel.opened();
  const chunks: Uint8Array[] = [];
  for await (const chunk of channel.input()) chunks.push(chunk);
  if (channel.closed.aborted) return;
  const archive = Buffer.concat(chunks);
  state.archives.set(folder, archive);
  channel.result(encodeTarResult(measureTar(archive)));
}

async function giveTar(channel: FakeChannel, open: Uint8Array, state: FakeGuestState): Promise<void> {
  const { path } = decodeTarOutOpen(open);
  const archive = state.archives.get(path);
  if (!archive) throw new FakeFailure('NOT_FOUND', `no "${path}"`);
  await channel.write(GuestStream.OUTPUT, archive);
  channel.endOutput(GuestStream.OUTPUT);
  channel.result(encodeTarResult(measureTar(archive)));
}

/** Entries of a plain ustar archive, and the bytes of their contents. */
function measureTar(archive: Buffer): { entries: number; bytes: number } {
  const total = { entries: 0, bytes: 0 };
  let offset = 0;
  while (offset + 512 <= archive.length && archive[offset] !== 0) {
    const size = Number.parseInt(archive.toString('latin1', offset + 124, offset + 135), 8);
    if (Number.isNaN(size)) throw new FakeFailure('INVALID', 'not a tar archive');
    total.entries += 1;
    total.bytes += size;
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  return total;
}

/** The fake guest's ports are those of this machine. */
async function connect(channel: FakeChannel, open: Uint8Array): Promise<void> {
  const { port, host = '127.0.0.1' } = decodeConnectOpen(open);
  const socket = createConnection({ port, host, allowHalfOpen: true });
  channel.closed.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw new FakeFailure('REFUSED', `port ${port}: ${String(error)}`);
  }
  socket.on('error', () => {}); // its close follows
  channel.opened();
  await Promise.all([sendAll(channel, socket), receiveAll(channel, socket)]);
  channel.result();
}

async function sendAll(channel: FakeChannel, socket: Socket): Promise<void> {
  for await (const chunk of channel.input()) socket.write(chunk);
  socket.end();
}

async function receiveAll(channel: FakeChannel, socket: Socket): Promise<void> {
  try {
    // Not destroyed at its end: the other direction may go on.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      await channel.write(GuestStream.OUTPUT, chunk as Uint8Array);
    }
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    // It was reset, or the host closed the channel: an end like any other.
  }
  channel.endOutput(GuestStream.OUTPUT);
}
