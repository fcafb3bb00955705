import type { ExecRequest } from '#contract/owner/exec.ts';
import type { ExecProcess } from './exec-process.ts';
import { openExec, type ExecOptions } from './open-exec.ts';
import { Transport, type TransportOptions } from './transport.ts';

/**
 * For a program that runs one command in a guest and ends: what {@link BangerClient} has besides `vms.exec` takes 1 ms to load.
 * Nothing is kept open between commands, so there is nothing to close.
 */
export class ExecClient {
  readonly #transport: Transport;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  /** As `client.vms.exec`. */
  async exec(reference: string, request: ExecRequest, options: ExecOptions = {}): Promise<ExecProcess> {
    return openExec(this.#transport, { vm: reference, request, ...options });
  }
}
