import { delay } from '#base/backoff.ts';
import { decodeExecOpen, encodeExecResult, encodeExecStarted } from '#contract/guest/exec-messages.ts';
import { GuestStream } from '#contract/guest/flow-control.ts';
import type { ExecResult } from '#contract/owner/exec.ts';
import type { FakeChannel } from './fake-channel.ts';
import type { FakeGuestState } from './fake-guest-state.ts';
import type { FakeProgramContext } from './fake-program.ts';
import { findProgram } from './find-program.ts';

let lastPid = 1000;

/** Runs a scripted command on a channel. @throws FakeFailure */
export async function runFakeExec(
  channel: FakeChannel,
  open: Uint8Array,
  state: FakeGuestState,
): Promise<void> {
  const request = decodeExecOpen(open);
  const program = findProgram(request.argv[0] ?? '', state.programs);
  const killed = Promise.withResolvers<ExecResult>();
  const killing = new AbortController();
  channel.onSignal = (signal) => {
    killed.resolve({ signal });
    killing.abort();
  };
  channel.opened(encodeExecStarted({ pid: (lastPid += 1) }));
  const context: FakeProgramContext = {
    request,
    stdin: channel.input(),
    writeOut: (bytes) => channel.write(GuestStream.OUTPUT, asBytes(bytes)),
    writeError: (bytes) => channel.write(GuestStream.ERRORS, asBytes(bytes)),
    sleep: (ms) => delay(ms, { signal: AbortSignal.any([killing.signal, channel.closed]) }),
  };
  const result = await Promise.race([killed.promise, endOf(program(context), killed.promise, channel)]);
  channel.endOutput(GuestStream.OUTPUT);
  channel.endOutput(GuestStream.ERRORS);
  channel.result(encodeExecResult(result));
}

/** A killed program rejects from its sleep; how it ended is then known from the signal. */
async function endOf(
  running: Promise<ExecResult>,
  killed: Promise<ExecResult>,
  channel: FakeChannel,
): Promise<ExecResult> {
  try {
    return await running;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return channel.closed.aborted ? { signal: 1 } : killed;
  }
}

function asBytes(bytes: Uint8Array | string): Uint8Array {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
}
