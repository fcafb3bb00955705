import type { Abortable } from '#base/abort.ts';
import type { VmStats, VmStatsReport } from '#contract/owner/stats.ts';
import { API_PREFIX } from '#contract/version.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

export interface StatsOptions extends Abortable {
  /** Also give so many of the samples that the daemon took before, at most 360. */
  history?: number;
}

/** What running VMs use. Parts that could not be measured in time are missing: a guest that hangs says nothing. */
export class StatsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Each running VM, measured now. */
  async list(options: Abortable = {}): Promise<VmStats[]> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/stats`,
      signal: options.signal,
    });
    return (
      await readBody(response, async () => (await import('#contract/owner/stats.ts')).vmStatsListSchema)
    ).vms;
  }

  /** One VM, measured now. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`, `VM_NOT_RUNNING` */
  async get(reference: string, { history, signal }: StatsOptions = {}): Promise<VmStatsReport> {
    const query = history === undefined ? '' : `?history=${history}`;
    const path = `${API_PREFIX}/vms/${encodeURIComponent(reference)}/stats${query}`;
    const response = await this.#transport.send({ method: 'GET', path, signal });
    return readBody(response, async () => (await import('#contract/owner/stats.ts')).vmStatsReportSchema);
  }
}
