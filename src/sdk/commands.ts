import type { Abortable } from '#base/abort.ts';
import type {
  Attached,
  AttachRequest,
  DetachedCommand,
  StartCommandRequest,
  StartedCommand,
} from '#contract/owner/command.ts';
import { EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import { parseAttached } from './exec-messages.ts';
import { ExecProcess } from './exec-process.ts';
import { encodeOpen } from './open-exec.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';
import { vmPath } from './vm-path.ts';

export interface AttachOptions extends AttachRequest, Abortable {
  /** This viewer was so slow that the guest forgot so many bytes before it took them. Called before what comes after them arrives. */
  onLost?: (bytes: number) => void;
}

/** A detached command as one viewer sees it, from `fromByte` of its output on. */
export interface CommandView extends Attached {
  /** Its streams and its end. Closing it leaves the command alone; a reader that waits loses output instead of stopping it. */
  process: ExecProcess;
}

/**
 * Commands that run on in a guest without anybody who watches, also when the daemon ends: until they end by themselves, by a
 * signal, or with the VM. The guest keeps the last 256 KiB of their output. Each method throws `VM_NOT_FOUND`,
 * `VM_REFERENCE_AMBIGUOUS`, `VM_NOT_RUNNING` and `GUEST_NOT_ANSWERING`.
 */
export class CommandsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Resolves when it runs. @throws UserError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `DETACHED_COMMANDS_FULL` */
  async start(
    reference: string,
    request: StartCommandRequest,
    { signal }: Abortable = {},
  ): Promise<StartedCommand> {
    const path = commandsPath(reference);
    const response = await this.#transport.send({ method: 'POST', path, body: request, signal });
    return readBody(response, async () => (await import('#contract/owner/command.ts')).startedCommandSchema);
  }

  /** Those that run and the last that ended, the oldest first. */
  async list(reference: string, { signal }: Abortable = {}): Promise<DetachedCommand[]> {
    const path = commandsPath(reference);
    const response = await this.#transport.send({ method: 'GET', path, signal });
    const load = async () => (await import('#contract/owner/command.ts')).commandListSchema;
    return (await readBody(response, load)).commands;
  }

  /** Shows what it wrote, as far as that is kept, and goes on with what it writes. @throws UserError `DETACHED_COMMAND_NOT_FOUND` */
  async attach(reference: string, id: number, options: AttachOptions = {}): Promise<CommandView> {
    const { signal, onLost, ...request } = options;
    let attached: Attached | undefined;
    const onOpened = (payload: Uint8Array) => {
      attached = parseAttached(payload);
    };
    const path = commandsPath(reference, `/${id}/attach`);
    const firstBytes = encodeOpen('attach to a command', request);
    const upgraded = await this.#transport.upgrade({ path, protocol: EXEC_UPGRADE, firstBytes, signal });
    const process = await ExecProcess.start(upgraded, { signal, onOpened, onLost });
    if (!attached) throw new Error('a command that was attached to did not say how it runs');
    return { ...attached, process };
  }

  /** By number, to its process group. @throws UserError `DETACHED_COMMAND_NOT_FOUND`, `DETACHED_COMMAND_ENDED` */
  async signal(
    reference: string,
    { id, signal: number }: { id: number; signal: number },
    { signal }: Abortable = {},
  ): Promise<void> {
    const path = commandsPath(reference, `/${id}/signal`);
    (await this.#transport.send({ method: 'POST', path, body: { signal: number }, signal })).resume();
  }

  /** Forgets one that has ended. @throws UserError `DETACHED_COMMAND_NOT_FOUND`, `DETACHED_COMMAND_RUNNING` */
  async remove(reference: string, id: number, { signal }: Abortable = {}): Promise<void> {
    const path = commandsPath(reference, `/${id}`);
    (await this.#transport.send({ method: 'DELETE', path, signal })).resume();
  }
}

function commandsPath(reference: string, member = ''): string {
  return vmPath(reference, `commands${member}`);
}
