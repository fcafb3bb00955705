import { connect, type Socket } from 'node:net';
import { raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseQmpMessage, type QmpEvent, type QmpMessage } from './qmp-messages.ts';

/** QEMU understood a command and refused it. */
export class QmpCommandError extends Error {
  readonly errorClass: string;

  constructor(command: string, errorClass: string, description: string) {
    super(`QMP command ${command} failed: ${description}`);
    this.name = 'QmpCommandError';
    this.errorClass = errorClass;
  }
}

/** The other end is gone, or never was QMP. */
export class QmpConnectionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'QmpConnectionError';
  }
}

interface PendingCommand {
  command: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const MAX_LINE_BYTES = 2 ** 20;
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * One session with a machine's QMP socket. QEMU serves one client at a time: the next one is greeted when this one closes.
 */
export class QmpClient {
  readonly #socket: Socket;
  readonly #lines = new LineSplitter(MAX_LINE_BYTES);
  readonly #pending = new Map<number, PendingCommand>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #greeted = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #failure: QmpConnectionError | undefined;
  #nextId = 1;

  /** Resolves when the session is over, whoever ended it. */
  readonly closed: Promise<void> = this.#closed.promise;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#greeted.promise.catch(() => {}); // when the session ends first, open() hears of it through the command it waits for
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#fail(messageOf(error), error));
    socket.on('close', () => this.#end());
  }

  /**
   * Connects, waits for the greeting and negotiates.
   *
   * @throws QmpConnectionError when nobody listens or the other end is not QMP; the signal's reason when aborted
   */
  static async open(path: string, { signal }: Abortable = {}): Promise<QmpClient> {
    const client = new QmpClient(connect(path));
    try {
      await raceAbort(client.#greeted.promise, signal);
      await client.execute('qmp_capabilities', {}, { signal });
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /**
   * Runs one command and returns what it returned, unparsed.
   *
   * @throws QmpCommandError, QmpConnectionError, the signal's reason; a `TimeoutError` after 10 s
   */
  async execute(
    command: string,
    commandArguments: Readonly<Record<string, unknown>> = {},
    { signal }: Abortable = {},
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
    });
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: commandArguments, id })}\n`);
    try {
      return await raceAbort(answer, withTimeout(COMMAND_TIMEOUT_MS, signal));
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Calls `listener` with each event from now on, until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#fail('the QMP session was closed');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) {
        if (line !== '') this.#dispatch(parseQmpMessage(line));
      }
    } catch (error) {
      this.#fail(`the other end does not speak QMP: ${messageOf(error)}`, error);
    }
  }

  #dispatch(message: QmpMessage): void {
    if (message.kind === 'greeting') this.#greeted.resolve();
    else if (message.kind === 'event') for (const listener of this.#listeners) listener(message.event);
    else this.#settle(message);
  }

  #settle(answer: Extract<QmpMessage, { kind: 'return' | 'error' }>): void {
    // An answer nobody waits for belongs to a command that was given up.
    const pending = answer.id === undefined ? undefined : this.#pending.get(answer.id);
    if (!pending) return;
    if (answer.kind === 'return') pending.resolve(answer.value);
    else pending.reject(new QmpCommandError(pending.command, answer.errorClass, answer.description));
  }

  #fail(message: string, cause?: unknown): void {
    this.#failure ??= new QmpConnectionError(message, cause === undefined ? {} : { cause });
    this.#socket.destroy();
    this.#end();
  }

  #end(): void {
    this.#failure ??= new QmpConnectionError('the machine closed the QMP session');
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
    this.#greeted.reject(this.#failure);
    this.#closed.resolve();
  }
}
