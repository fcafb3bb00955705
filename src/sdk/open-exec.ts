import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { encodeFrame, FrameType, MAX_PAYLOAD_BYTES } from '#contract/guest/frames.ts';
import { GuestStream } from '#contract/guest/flow-control.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import { EXEC_CHANNEL, EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import { ExecProcess } from './exec-process.ts';
import type { Transport } from './transport.ts';
import { vmPath } from './vm-path.ts';

export interface ExecOptions extends Abortable {
  /** The command's input is at its end when it starts; the process's `stdin` takes nothing. Saves a way to the guest. */
  emptyStdin?: boolean | undefined;
}

export interface OpenExecOptions extends ExecOptions {
  /** Name, id or prefix. */
  vm: string;
  request: ExecRequest;
}

const END_OF_STDIN = Buffer.concat(
  encodeFrame({ type: FrameType.EOF, stream: GuestStream.INPUT, channel: EXEC_CHANNEL }),
);

/** Opens the session and starts the command. Nothing on this way loads zod or node:http. */
export async function openExec(
  transport: Transport,
  { vm, request, emptyStdin, signal }: OpenExecOptions,
): Promise<ExecProcess> {
  const open = encodeOpen('run a command', request);
  const firstBytes = emptyStdin ? Buffer.concat([open, END_OF_STDIN]) : open;
  const path = vmPath(vm, 'exec');
  const upgraded = await transport.upgrade({ path, protocol: EXEC_UPGRADE, firstBytes, signal });
  return ExecProcess.start(upgraded, { emptyStdin, signal });
}

/** @throws UserError `REQUEST_TOO_LARGE` */
export function encodeOpen(action: string, request: object): Uint8Array {
  const payload = Buffer.from(JSON.stringify(request));
  if (payload.length <= MAX_PAYLOAD_BYTES) {
    return Buffer.concat(encodeFrame({ type: FrameType.OPEN, channel: EXEC_CHANNEL, payload }));
  }
  throw new UserError(
    'REQUEST_TOO_LARGE',
    `Cannot ${action}: ${payload.length} bytes of arguments are more than ${MAX_PAYLOAD_BYTES}`,
    { hint: 'pass large data through stdin or a file' },
  );
}
