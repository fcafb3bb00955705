import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { MAX_PAYLOAD_BYTES } from '#contract/guest/frames.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import { EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import { ExecProcess } from './exec-process.ts';
import type { Transport } from './transport.ts';

export interface OpenExecOptions extends Abortable {
  path: string;
  request: ExecRequest;
}

/** Opens the session and starts the command. Nothing on this way loads zod or node:http. */
export async function openExec(
  transport: Transport,
  { path, request, signal }: OpenExecOptions,
): Promise<ExecProcess> {
  const open = Buffer.from(JSON.stringify(request));
  if (open.length > MAX_PAYLOAD_BYTES) {
    throw new UserError(
      'REQUEST_TOO_LARGE',
      `Cannot run a command: ${open.length} bytes of arguments are more than ${MAX_PAYLOAD_BYTES}`,
      {
        hint: 'pass large data through stdin or a file',
      },
    );
  }
  const upgraded = await transport.upgrade(path, EXEC_UPGRADE, { signal });
  return ExecProcess.start(upgraded, open, { signal });
}
