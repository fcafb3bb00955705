import type { Abortable } from '#base/abort.ts';
import {
  decodeAttached,
  decodeCommandList,
  decodeStartedCommand,
  encodeAttachOpen,
  encodeCommandOpen,
  encodeCommandSignalOpen,
  encodeCommandStartOpen,
} from '#contract/guest/command-messages.ts';
import { decodeExecResult } from '#contract/guest/exec-messages.ts';
import { encodePlainOpen, Operation } from '#contract/guest/open.ts';
import type {
  Attached,
  AttachRequest,
  DetachedCommand,
  StartCommandRequest,
  StartedCommand,
} from '#contract/owner/command.ts';
import { askGuest } from './ask-guest.ts';
import type { GuestQuestion } from './ask-guest.ts';
import { commandError, startCommandError } from './guest-errors.ts';
import { GuestProcess } from './guest-process.ts';
import { OperationChannel } from './operation-channel.ts';
import type { AgentSession } from './session.ts';

export interface AttachOptions extends AttachRequest, Abortable {
  /** So many bytes were forgotten before this viewer took them; between what came before and what comes next. */
  onLost?: ((bytes: number) => void) | undefined;
}

/** A view of a detached command. Closing it leaves the command alone; its streams and its end are those of the command. */
export interface Attachment extends Attached {
  process: GuestProcess;
}

const nothing = (): void => {};

/** The commands of a guest that run on without a session. Errors besides its own are those of the agent's client. */
export class GuestCommands {
  readonly #session: AgentSession;

  constructor(session: AgentSession) {
    this.#session = session;
  }

  /**
   * Resolves when it runs.
   *
   * @throws UserError as exec, and `DETACHED_COMMANDS_FULL`
   */
  start(request: StartCommandRequest, options: Abortable = {}): Promise<StartedCommand> {
    return askGuest(
      this.#session,
      {
        action: `run "${request.argv[0] ?? ''}"`,
        open: encodeCommandStartOpen(request),
        decode: decodeStartedCommand,
        toError: startCommandError,
      },
      options,
    );
  }

  /** Those that run and the last that ended, the oldest first. */
  list(options: Abortable = {}): Promise<DetachedCommand[]> {
    const open = encodePlainOpen(Operation.COMMAND_LIST);
    return this.#ask({ action: 'list the detached commands', open, decode: decodeCommandList }, options);
  }

  /** @throws UserError `DETACHED_COMMAND_NOT_FOUND` */
  async attach(id: number, options: AttachOptions = {}): Promise<Attachment> {
    const operation = new OperationChannel(this.#session, {
      action: `attach to command ${id}`,
      open: encodeAttachOpen(id, options),
      abandonedInput: 'eof',
      decodeOpened: decodeAttached,
      decodeResult: decodeExecResult,
      toError: commandError,
      onLost: options.onLost,
    });
    const attached = await operation.waitOpened(options);
    return { ...attached, process: new GuestProcess(attached, operation) };
  }

  /** @throws UserError `DETACHED_COMMAND_NOT_FOUND`, `DETACHED_COMMAND_ENDED` */
  signal(id: number, signal: number, options: Abortable = {}): Promise<void> {
    const open = encodeCommandSignalOpen(id, signal);
    return this.#ask({ action: `signal command ${id}`, open, decode: nothing }, options);
  }

  /** Forgets one that has ended. @throws UserError `DETACHED_COMMAND_NOT_FOUND`, `DETACHED_COMMAND_RUNNING` */
  remove(id: number, options: Abortable = {}): Promise<void> {
    const open = encodeCommandOpen(Operation.COMMAND_REMOVE, id);
    return this.#ask({ action: `remove command ${id}`, open, decode: nothing }, options);
  }

  #ask<Result>(question: Omit<GuestQuestion<Result>, 'toError'>, options: Abortable): Promise<Result> {
    return askGuest(this.#session, { ...question, toError: commandError }, options);
  }
}
