import { withTimeout, type Abortable } from '#base/abort.ts';
import type { DetachedCommand, StartCommandRequest, StartedCommand } from '#contract/owner/command.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { CommandHandlers, VmReference } from '../http/services.ts';

export interface CommandServiceOptions {
  /** The open session with the agent of a VM. @throws UserError `VM_NOT_RUNNING`, `GUEST_NOT_ANSWERING` */
  agent(reference: VmReference, options: Abortable): Promise<AgentClient>;
  /** Adds what the VM gives every command. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  complete(reference: VmReference, request: StartCommandRequest): StartCommandRequest;
}

/** How long a guest may take to answer what it answers at once. */
const ANSWER_MS = 10_000;

/** The commands that run on in guests without anybody who watches. The guests keep them; nothing of them is stored here. */
export class CommandService implements CommandHandlers {
  readonly #agent: CommandServiceOptions['agent'];
  readonly #complete: CommandServiceOptions['complete'];

  constructor(options: CommandServiceOptions) {
    this.#agent = options.agent;
    this.#complete = options.complete;
  }

  async start(
    reference: VmReference,
    request: StartCommandRequest,
    options: Abortable,
  ): Promise<StartedCommand> {
    const agent = await this.#agent(reference, options);
    return agent.commands.start(this.#complete(reference, request), options);
  }

  async list(reference: VmReference, options: Abortable): Promise<DetachedCommand[]> {
    const agent = await this.#agent(reference, options);
    return agent.commands.list(bounded(options));
  }

  async signal(
    reference: VmReference,
    { id, signal }: { id: number; signal: number },
    options: Abortable,
  ): Promise<void> {
    const agent = await this.#agent(reference, options);
    await agent.commands.signal(id, signal, bounded(options));
  }

  async remove(reference: VmReference, id: number, options: Abortable): Promise<void> {
    const agent = await this.#agent(reference, options);
    await agent.commands.remove(id, bounded(options));
  }
}

function bounded({ signal }: Abortable): Abortable {
  return { signal: withTimeout(ANSWER_MS, signal) };
}
