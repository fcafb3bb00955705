import { isTimeout } from '#base/abort.ts';
import { isUserError } from '#contract/errors.ts';
import type { PortScheme } from '#contract/owner/port.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import { connectToFirst } from './dial-guest.ts';
import { targetOf, type GuestListener } from './guest-listeners.ts';
import { guessScheme } from './guess-scheme.ts';

interface Guess {
  scheme: PortScheme | undefined;
  /** When to ask again. */
  until: number;
}

/** A listing is not held up longer than this. */
const ASK_MS = 800;
const MAX_QUESTIONS = 24;
/** A port that did not answer in time may do so later. */
const SILENT_FOR_MS = 15_000;
/** Servers that take a request of HTTP for garbage, or for an attack, and write so into their logs. */
const NEVER_HTTP = new Set([
  21, 22, 23, 25, 53, 110, 111, 143, 389, 465, 587, 636, 993, 995, 1433, 1521, 3306, 5432, 5672, 6379, 9042,
  11211, 27017,
]);

/** What the listeners of one running VM seem to speak; asked once for each socket. */
export class SchemeGuesses {
  readonly #guesses = new Map<number, Guess>();

  /** By port. Never fails, never takes longer than a moment. */
  async of(listeners: readonly GuestListener[], agent: AgentClient): Promise<Map<number, PortScheme>> {
    const tcp = listeners.filter(({ protocol }) => protocol === 'tcp');
    this.#forgetOthers(tcp);
    const unknown = tcp.filter((listener) => this.#isUnknown(listener)).slice(0, MAX_QUESTIONS);
    const signal = AbortSignal.timeout(ASK_MS);
    await Promise.all(unknown.map((listener) => this.#ask(listener, agent, signal)));
    return new Map(
      tcp.flatMap((listener): [number, PortScheme][] => {
        const scheme = this.#guesses.get(keyOf(listener))?.scheme;
        return scheme ? [[listener.port, scheme]] : [];
      }),
    );
  }

  async #ask(listener: GuestListener, agent: AgentClient, signal: AbortSignal): Promise<void> {
    const target = targetOf(listener);
    if (!target) return;
    try {
      const scheme = await guessScheme((options) => connectToFirst(agent, target, options), { signal });
      this.#guesses.set(keyOf(listener), { scheme, until: Number.POSITIVE_INFINITY });
    } catch (error) {
      if (!isTimeout(error) && !isUserError(error)) throw error;
      this.#guesses.set(keyOf(listener), { scheme: undefined, until: performance.now() + SILENT_FOR_MS });
    }
  }

  #isUnknown(listener: GuestListener): boolean {
    if (NEVER_HTTP.has(listener.port)) return false;
    return (this.#guesses.get(keyOf(listener))?.until ?? 0) <= performance.now();
  }

  #forgetOthers(listeners: readonly GuestListener[]): void {
    const present = new Set(listeners.map(keyOf));
    for (const key of this.#guesses.keys()) if (!present.has(key)) this.#guesses.delete(key);
  }
}

function keyOf({ inodes }: GuestListener): number {
  return Math.min(...inodes);
}
