import { withTimeout } from '#base/abort.ts';
import type { AgentClient } from '#guest/agent-client.ts';

export interface AnswerWatchOptions {
  agent: Pick<AgentClient, 'ping'>;
  /** Told once, with what the ping failed with. */
  onSilence: (error: unknown) => void;
  quietMs?: number;
  answerMs?: number;
}

/** A busy guest takes long to start a command; only after this it is asked whether it is there at all. */
const QUIET_MS = 5000;
/** Nothing that works keeps an agent from answering for so long. */
const ANSWER_MS = 15_000;

/** Notices that nobody answers a request because the guest hangs, without a bound on what the answer itself may take. */
export class AnswerWatch {
  readonly #options: AnswerWatchOptions;
  #over = false;
  #asking: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Begins at once. */
  constructor(options: AnswerWatchOptions) {
    this.#options = options;
    this.#wait();
  }

  /** The answer is there, or nobody wants it any more. Idempotent. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#ask(), this.#options.quietMs ?? QUIET_MS);
  }

  async #ask(): Promise<void> {
    const { agent, onSilence, answerMs = ANSWER_MS } = this.#options;
    this.#asking = new AbortController();
    try {
      await agent.ping({ signal: withTimeout(answerMs, this.#asking.signal) });
      if (!this.#over) this.#wait();
    } catch (error) {
      if (!this.#over) onSilence(error);
    }
  }
}
