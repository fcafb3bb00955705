import { createConnection } from 'node:net';
import { once } from 'node:events';
import { GuestStream } from '#contract/guest/flow-control.ts';
import { Operation, operationOf } from '#contract/guest/open.ts';
import { encodePorts } from '#contract/guest/port-messages.ts';
import { decodePowerOffOpen } from '#contract/guest/power-off-messages.ts';
import { encodeStats } from '#contract/guest/stats-messages.ts';
import {
  decodeTarInOpen,
  decodeTarOutOpen,
  decodeTcpConnectOpen,
  encodeTarResult,
} from '#contract/guest/transfer-messages.ts';
import { FakeFailure } from './fake-channel.ts';
import type { FakeChannel } from './fake-channel.ts';
import { runFakeExec } from './fake-exec.ts';
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
    case Operation.PORTS:
      return channel.result(encodePorts(state.ports));
    case Operation.STATS:
      return channel.result(encodeStats(state.stats));
    case Operation.SYNC:
      state.syncs += 1;
      return channel.result();
    case Operation.POWER_OFF:
      state.syncs += 1;
      state.poweredOff = true;
      channel.opened();
      return state.onPowerOff(decodePowerOffOpen(open));
    default:
      throw new FakeFailure('UNSUPPORTED', `operation ${operationOf(open)}`);
  }
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
  const { port, host = '127.0.0.1' } = decodeTcpConnectOpen(open);
  const socket = createConnection({ port, host, allowHalfOpen: true });
  channel.closed.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw new FakeFailure('REFUSED', `port ${port}: ${String(error)}`);
  }
  channel.opened();
  await Promise.all([sendAll(channel, socket), receiveAll(channel, socket)]);
  channel.result();
}

async function sendAll(channel: FakeChannel, socket: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of channel.input()) socket.write(chunk);
  socket.end();
}

async function receiveAll(channel: FakeChannel, socket: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of socket) await channel.write(GuestStream.OUTPUT, chunk);
  channel.endOutput(GuestStream.OUTPUT);
}
