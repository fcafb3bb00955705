import { raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { isUserError } from '#contract/errors.ts';
import type { VmRun } from '#contract/owner/vm-run.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { VmCapability } from './capability.ts';
import { serviceOf } from './service-of.ts';

type RunAgent = Pick<AgentClient, 'service' | 'tarIn'>;
type RunVm = Pick<VmRecord, 'id' | 'run'>;

export interface RunCapabilityOptions {
  /** The session with a VM's agent that is open just now. */
  findAgent: (id: string) => RunAgent | undefined;
  log: Logger;
}

/** How long a guest may take to do what it does at once. */
const ANSWER_MS = 10_000;
/** Two empty blocks: the end of a tar. */
const EMPTY_TAR = Buffer.alloc(1024);

/**
 * The VM's own command, as the service that the agent looks after, and the folder in which commands run. The guest forgets both when it
 * boots, so it is told once in each session: at a start, when a daemon finds the VM running, and when an agent that was late answers.
 */
export class RunCapability implements VmCapability {
  readonly name = 'run';
  readonly #options: RunCapabilityOptions;
  readonly #told = new WeakMap<RunAgent, Promise<void>>();

  constructor(options: RunCapabilityOptions) {
    this.#options = options;
  }

  /** @throws UserError what the agent says of a service that cannot be */
  async afterStart(vm: RunVm, { signal }: Abortable): Promise<void> {
    const agent = this.#options.findAgent(vm.id);
    // Without one the guest is late, or its VM was found running just now: then it is told when the session opens.
    if (agent) await raceAbort(this.#tell(vm, agent), signal);
  }

  /** A session with the agent of this VM has opened. */
  connected(vm: RunVm | undefined, agent: RunAgent): void {
    if (!vm) return;
    this.#tell(vm, agent).catch((error: unknown) => {
      this.#options.log.warn({ vm: vm.id, error: messageOf(error) }, 'cannot tell a guest what to run');
    });
  }

  #tell(vm: RunVm, agent: RunAgent): Promise<void> {
    const told = this.#told.get(agent) ?? this.#define(vm, agent);
    this.#told.set(agent, told);
    return told;
  }

  async #define({ id, run }: RunVm, agent: RunAgent): Promise<void> {
    const signal = withTimeout(ANSWER_MS);
    const service = serviceOf(run);
    if (!service) return this.#makeWorkingFolder(id, { run, agent, signal });
    try {
      await agent.service.define(service, { signal });
    } catch (error) {
      if (!isOtherService(error)) throw error;
      // What runs was defined by another build of the daemon: it is left alone until the VM boots again.
      this.#options.log.info({ vm: id }, 'the guest runs its service as it was defined before');
    }
  }

  /** As container runtimes do, since an image may name one that it does not hold. The agent makes that of a service itself. */
  async #makeWorkingFolder(
    id: string,
    { run, agent, signal }: { run: VmRun | null; agent: RunAgent; signal: AbortSignal },
  ): Promise<void> {
    const folder = run?.workingDir;
    if (folder === undefined || folder === '/') return;
    try {
      const { archive, result } = await agent.tarIn(folder, { signal });
      archive.end(EMPTY_TAR);
      await result;
    } catch (error) {
      if (!isUserError(error)) throw error;
      // Something else has this name; each command says so.
      this.#options.log.warn({ vm: id, folder, error: error.message }, 'cannot make the working folder');
    }
  }
}

function isOtherService(error: unknown): boolean {
  return isUserError(error, 'GUEST_OPERATION_FAILED') && error.details?.['guestCode'] === 'EXISTS';
}
