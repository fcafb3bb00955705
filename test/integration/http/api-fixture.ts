import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base/log.ts';
import { HttpServer } from '#daemon/http/server.ts';
import { BangerClient, type Vm } from '#sdk/index.ts';
import { MemoryServices } from './memory-services.ts';

/** The HTTP API over a real socket, in a folder of its own, with services in memory and a client. */
export class ApiFixture implements AsyncDisposable {
  readonly folder: string;
  readonly socketPath: string;
  readonly services: MemoryServices;
  readonly server: HttpServer;
  #client: BangerClient | undefined;

  static async open(): Promise<ApiFixture> {
    const fixture = new ApiFixture(await mkdtemp(join(tmpdir(), 'banger-api-')));
    await fixture.server.listen(fixture.socketPath);
    fixture.#client = await BangerClient.connect({ socketPath: fixture.socketPath });
    return fixture;
  }

  private constructor(folder: string) {
    this.folder = folder;
    this.socketPath = join(folder, 'run', 'bangerd.sock');
    this.services = new MemoryServices(folder);
    this.server = new HttpServer({ services: this.services, log: silentLogger });
  }

  get client(): BangerClient {
    if (!this.#client) throw new Error('the fixture is not open');
    return this.#client;
  }

  async runningVm(name = 'demo'): Promise<Vm> {
    const creation = await this.client.vms.create({ name });
    return creation.result();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.services.close();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
