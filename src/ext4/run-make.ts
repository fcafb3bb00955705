import { finished } from 'node:stream/promises';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { findContainment, runContained } from './containment.ts';
import type { TarStream } from './tar-stream.ts';

export interface MakeStep extends Abortable {
  /** Of the command: `fakeroot --`. */
  prefix: readonly string[];
  script: string;
  args: readonly string[];
  /** Goes to its stdin. */
  tarStream?: TarStream;
}

/**
 * Runs a script that makes a file system. When the stream that it reads fails, it fails with what the stream failed with, whatever
 * the script made of the part that it got.
 */
export async function runMake({ prefix, script, args, signal, tarStream }: MakeStep): Promise<void> {
  const containment = await findContainment({ signal });
  const command = [...prefix, 'sh', '-c', script, 'sh', ...args];
  if (tarStream === undefined) {
    await runContained(containment, command, { signal });
    return;
  }
  const input = tarStream.open({ signal });
  let failure: Error | undefined;
  input.once('error', (error: Error) => (failure = error));
  try {
    await runContained(containment, command, { signal, input });
  } catch (error) {
    // The tool's own end closes the stream before its time; that is no reason of its own.
    input.destroy();
    throw isOwnFailure(failure) ? failure : error;
  }
  await finished(input, { writable: false });
  if (failure !== undefined) throw failure;
}

function isOwnFailure(error: Error | undefined): error is Error {
  if (error === undefined) return false;
  const code = systemErrorCode(error);
  return code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ABORT_ERR';
}
