import type { Abortable } from '#base/abort.ts';
import type { FsckRepairReport, FsckReport } from '#contract/owner/fsck.ts';
import { API_PREFIX } from '#contract/version.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

/** What the store says against what is really there: leftovers and damage. */
export class FsckClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists each leftover and each damage with why it is one. A VM that an operation works on is left out. */
  async check(options: Abortable = {}): Promise<FsckReport> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/fsck`,
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/fsck.ts')).fsckReportSchema);
  }

  /** Repairs what `check` lists with a `repair`. Never removes a finished disk. */
  async repair(options: Abortable = {}): Promise<FsckRepairReport> {
    const response = await this.#transport.send({
      method: 'POST',
      path: `${API_PREFIX}/fsck/repair`,
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/fsck.ts')).fsckRepairReportSchema);
  }
}
