import type { Abortable } from '#base/abort.ts';
import { UserError, isUserError } from '#contract/errors.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { AgentSessions } from './agent-sessions.ts';
import { firstBootSign, type BootSign } from './boot-watch.ts';
import { readConsoleTail } from './console-tail.ts';

export interface BootWaitOptions {
  sessions: AgentSessions;
  /** How long a guest may take until its agent answers. */
  agentTimeoutMs: number;
  /** How long a guest may take until its kernel prints something. */
  lifelessAfterMs: number;
  connect: (id: string) => void;
  waitForExit: (id: string, options: Abortable) => Promise<void>;
  consoleLogPath: (id: string) => string;
  /** The last lines of the hypervisor itself. */
  diagnostics: (id: string) => Promise<string>;
}

/** What is known of a boot before it is waited for, and what came of it. */
export interface BootParts {
  /** Size of the console's log when the machine was launched. */
  consoleBytes?: number;
  /** Set when the guest runs but does not answer: the VM is kept. */
  notAnswering?: UserError;
}

export interface Boot {
  context: OperationContext;
  /** Ends the machine and launches it afresh. */
  relaunch: () => Promise<void>;
}

const CONSOLE_TAIL_BYTES = 2048;
const MAX_LAUNCHES = 3;

/** Waits for the agent of a machine that was launched just now. */
export class BootWait {
  readonly #options: BootWaitOptions;

  constructor(options: BootWaitOptions) {
    this.#options = options;
  }

  /**
   * An emulated kernel hangs before its first word once in some hundred boots on a busy host. Such a machine has done nothing yet,
   * so it is launched again, and the user is told.
   */
  async forAgent(vm: VmRecord, parts: BootParts, boot: Boot): Promise<void> {
    const { signal, log } = boot.context;
    for (let launches = 1; ; launches += 1) {
      const sign = await this.#firstSign(vm, parts, { signal, isLast: launches === MAX_LAUNCHES });
      if (sign === 'exited') throw await this.#died(vm);
      if (sign !== 'lifeless') return;
      log.warn({ vm: vm.id, launches }, 'the guest shows no sign of life: launching it again');
      boot.context.detail('the guest showed no sign of life, starting it again');
      await boot.relaunch();
    }
  }

  async #firstSign(
    vm: VmRecord,
    parts: BootParts,
    { signal, isLast }: { signal: AbortSignal; isLast: boolean },
  ): Promise<BootSign> {
    const { sessions, agentTimeoutMs, lifelessAfterMs, connect, waitForExit, consoleLogPath } = this.#options;
    connect(vm.id);
    try {
      return await firstBootSign(
        {
          answered: (bound) => sessions.get(vm.id, agentTimeoutMs, { signal: bound }),
          exited: (bound) => waitForExit(vm.id, { signal: bound }),
          consolePath: consoleLogPath(vm.id),
          consoleBytes: parts.consoleBytes ?? 0,
          lifelessAfterMs: isLast ? undefined : lifelessAfterMs,
        },
        signal,
      );
    } catch (error) {
      if (!isUserError(error, 'GUEST_NOT_ANSWERING')) throw error;
      parts.notAnswering = await this.#withConsole(error, vm);
      return 'answered';
    }
  }

  async #died(vm: VmRecord): Promise<UserError> {
    const stderr = await this.#options.diagnostics(vm.id);
    const error = new UserError(
      'MACHINE_DIED',
      `Cannot start "${vm.name}": its machine ended while the guest booted`,
      {
        hint: 'the console says why',
        details: { stderr },
      },
    );
    return this.#withConsole(error, vm);
  }

  async #withConsole(error: UserError, vm: VmRecord): Promise<UserError> {
    const consoleTail = await readConsoleTail(this.#options.consoleLogPath(vm.id), CONSOLE_TAIL_BYTES);
    return new UserError(error.code, error.message, {
      hint: error.hint?.replace('VM', vm.name),
      details: { ...error.details, consoleTail },
      cause: error,
    });
  }
}
