import { createInterface } from 'node:readline';
import type { BangerClient } from '#sdk/index.ts';
import { readGuestProgram } from './guest-programs.ts';
import { deadlineFor } from './measure.ts';

/** What vfork, exec and wait of /bin/true cost inside a guest, measured there, whenever it is asked for. */
export class GuestSpawns {
  readonly #ask: () => void;
  readonly #answers: AsyncIterator<string>;

  private constructor(ask: () => void, answers: AsyncIterator<string>) {
    this.#ask = ask;
    this.#answers = answers;
  }

  static async start(client: BangerClient, vm: string): Promise<GuestSpawns> {
    const signal = deadlineFor('timing spawns in the guest');
    const store = 'cat > /tmp/spawn-timer && chmod +x /tmp/spawn-timer';
    const upload = await client.vms.exec(vm, { argv: ['sh', '-c', store] }, { signal });
    upload.stdin.end(await readGuestProgram('spawn-timer'));
    await upload.wait();
    const timer = await client.vms.exec(vm, { argv: ['/tmp/spawn-timer'] }, { signal });
    const answers = createInterface({ input: timer.stdout })[Symbol.asyncIterator]();
    return new GuestSpawns(() => timer.stdin.write('.'), answers);
  }

  /** Milliseconds of one more. */
  async time(): Promise<number> {
    this.#ask();
    const { value } = await this.#answers.next();
    if (value === undefined) throw new Error('the timer in the guest has ended');
    return Number(value) / 1000;
  }
}
