import { mkdtemp, rm, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { delay } from '#base/backoff.ts';
import { newOperationId, newVmId } from '#base/ids.ts';
import { ERROR_STATUS, isUserError, UserError } from '#contract/errors.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import type { ExecRequest } from '#contract/owner/exec.ts';
import type { DoctorReport } from '#contract/owner/host.ts';
import type { Operation, OperationResult } from '#contract/owner/operation.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type { CreateVmRequest, StopOutcome, Vm } from '#contract/owner/vm.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { ScriptedExec } from './scripted-exec.ts';
import { ScriptedStats } from './scripted-stats.ts';

const STAGES = ['resolve-image', 'create-disk', 'launch-machine', 'wait-for-agent'];

/** A daemon of the owner's API with VMs that only exist in memory; commands run on this host. */
export class ScriptedDaemon implements AsyncDisposable {
  readonly root: string;
  readonly layout: Layout;
  readonly vms = new Map<string, Vm>();
  readonly execRequests: ExecRequest[] = [];
  readonly createRequests: CreateVmRequest[] = [];
  /** Each stage of an operation takes so long. */
  stageMs = 1;
  /** How creations fail. A guest that does not answer is kept, everything else is rolled back. */
  createFailure: UserError | undefined;
  stopped: { stop: StopOutcome; waitedMs?: number } = { stop: 'powered-off' };
  /** How the VMs are run that are made from now on, and how their service is. */
  run: Vm['run'];
  service: ServiceStatus = { state: 'running', pid: 7, starts: 1 };
  consoleText = 'line 1\nline 2\nline 3\n';
  build = buildLabel();
  doctor: DoctorReport = { rows: [{ check: 'kvm', status: 'pass', message: 'works' }] };
  readonly #stats = new ScriptedStats();
  readonly #operations = new Map<string, Operation>();
  readonly #cancelled = new Set<string>();
  readonly #changes = new EventTarget();
  readonly #sessions = new Set<Duplex>();
  readonly #server: Server;

  private constructor(root: string) {
    this.root = root;
    this.layout = resolveLayout(this.env, process.getuid?.() ?? 0, root);
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      const reference = decodeURIComponent(request.url?.split('/')[3] ?? '');
      const vm = this.#lookUp(reference);
      if (!vm) {
        const body = JSON.stringify(bodyOf(notFound(reference)));
        socket.end(
          `HTTP/1.1 404 Not Found\r\n${BUILD_HEADER}: ${this.build}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        return;
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: banger-exec\r\n\r\n');
      socket.unshift(head); // what the client said along with its request
      this.#sessions.add(socket);
      socket.on('close', () => this.#sessions.delete(socket));
      new ScriptedExec(socket, (exec) => this.execRequests.push(exec));
    });
  }

  static async start(): Promise<ScriptedDaemon> {
    const daemon = new ScriptedDaemon(await mkdtemp(join(tmpdir(), 'bgr-cli-')));
    await daemon.listen();
    return daemon;
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.root,
      XDG_RUNTIME_DIR: join(this.root, 'run'),
      XDG_STATE_HOME: join(this.root, 'state'),
      XDG_CACHE_HOME: join(this.root, 'cache'),
    };
  }

  async listen(): Promise<void> {
    await mkdir(dirname(this.layout.socketPath), { recursive: true, mode: 0o700 });
    await new Promise<void>((resolve) => this.#server.listen(this.layout.socketPath, resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As if the daemon had been killed: exec sessions included. */
  dropConnections(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#sessions) socket.destroy();
  }

  operationCount(status: Operation['status']): number {
    return [...this.#operations.values()].filter((operation) => operation.status === status).length;
  }

  addVm(name: string, state: Vm['state'] = 'running', id = newVmId()): Vm {
    const vm: Vm = {
      id,
      name,
      state,
      spec: {
        image: 'debian-bookworm',
        vcpus: 2,
        memoryMiB: 2048,
        diskBytes: 8 * 2 ** 30,
        network: 'user',
        autoRemove: false,
      },
      published: [],
      imageId: 'img1',
      kernelId: 'krn1',
      createdAt: new Date().toISOString(),
      ...(state === 'running' ? { address: '10.77.0.2', pid: 4242 } : {}),
    };
    this.vms.set(id, vm);
    return vm;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.root, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader(BUILD_HEADER, this.build);
    try {
      const url = new URL(request.url ?? '/', 'http://daemon');
      const [, , kind = '', reference = '', action = ''] = url.pathname.split('/').map(decodeURIComponent);
      if (kind === 'operations') await this.#answerOperation(response, reference, action);
      else if (kind === 'vms') await this.#answerVm(request, response, { reference, action, url });
      else this.#answerRest(response, kind);
    } catch (error) {
      if (!isUserError(error)) throw error;
      send(response, bodyOf(error), ERROR_STATUS[error.code]);
    }
  }

  #answerRest(response: ServerResponse, kind: string): void {
    if (kind === 'doctor') send(response, this.doctor);
    else if (kind === 'images')
      send(response, {
        images: [],
        available: [
          {
            name: 'debian-bookworm',
            description: 'Debian 12',
            kind: 'recipe',
            origin: 'debian bookworm',
            catalog: 'built-in',
            pulled: false,
          },
        ],
        catalogProblems: [],
      });
    else if (kind === 'kernels') send(response, { kernels: [], available: [] });
    else if (kind === 'stats') {
      const running = [...this.vms.values()].filter(({ state }) => state === 'running');
      send(response, { vms: running.map((vm) => this.#stats.of(vm)) });
    } else if (kind === 'daemon') {
      send(response, {});
      void this.close();
    } else send(response, this.#host());
  }

  #host(): object {
    return {
      build: { version: '9.9.9', commit: 'abc', builtAt: 'today' },
      pid: process.pid,
      startedAt: new Date().toISOString(),
      vms: { total: this.vms.size, running: this.vms.size },
      paths: { state: '/s', cache: '/c', runtime: '/r', socket: this.layout.socketPath, log: '/l' },
      memoryRssBytes: 2 ** 20,
    };
  }

  async #answerVm(
    request: IncomingMessage,
    response: ServerResponse,
    { reference, action, url }: { reference: string; action: string; url: URL },
  ): Promise<void> {
    if (reference === '') {
      if (request.method === 'GET') return send(response, { vms: [...this.vms.values()] });
      return send(response, await this.#create((await readJson(request)) as CreateVmRequest), 202);
    }
    const vm = this.#getVm(reference);
    if (action === 'logs') return this.#sendLogs(response, url);
    if (action === 'wait') return send(response, vm);
    if (action === 'service') return send(response, this.service);
    if (action === 'stats') return send(response, this.#stats.of(vm));
    if (request.method === 'GET') return send(response, vm);
    send(
      response,
      this.#change(vm, { verb: action || 'delete', force: url.searchParams.get('force') === 'true' }),
      202,
    );
  }

  #lookUp(reference: string): Vm | undefined {
    const all = [...this.vms.values()];
    const matches = all.filter((vm) => vm.name.startsWith(reference) || vm.id.startsWith(reference));
    return (
      all.find((vm) => vm.name === reference || vm.id === reference) ??
      (matches.length === 1 ? matches[0] : undefined)
    );
  }

  #getVm(reference: string): Vm {
    const vm = this.#lookUp(reference);
    if (!vm) throw notFound(reference);
    return vm;
  }

  #sendLogs(response: ServerResponse, url: URL): void {
    const bytes = Number(url.searchParams.get('tailBytes') ?? 65_536);
    const text = bytes === 0 ? '' : this.consoleText.slice(-bytes);
    if (url.searchParams.get('follow') !== 'true') {
      response.end(text);
      return;
    }
    response.write(text || ' ');
    const timer = setInterval(() => response.write('more\n'), 20);
    response.on('close', () => clearInterval(timer));
  }

  async #create(request: CreateVmRequest): Promise<Operation> {
    this.createRequests.push(request);
    if (request.image === 'nope') {
      throw new UserError('IMAGE_NOT_FOUND', 'Cannot use the image "nope": there is no such image', {
        hint: 'banger image list',
      });
    }
    const vm = this.addVm(request.name ?? 'calm-otter', 'creating');
    if (this.run) vm.run = this.run;
    if (request.publishAll) {
      vm.published = [{ hostAddress: '127.0.0.1', hostPort: 40_080, guestPort: 80, protocol: 'tcp' }];
    }
    return this.#run('vm.create', vm, () => {
      if (this.createFailure) throw this.#failCreation(vm, this.createFailure);
      vm.state = request.start === false ? 'stopped' : 'running';
      return { vm };
    });
  }

  #failCreation(vm: Vm, failure: UserError): UserError {
    if (failure.code === 'GUEST_NOT_ANSWERING') vm.state = 'running';
    else this.vms.delete(vm.id);
    return failure;
  }

  #change(vm: Vm, { verb, force }: { verb: string; force: boolean }): Operation {
    if (verb === 'delete' && vm.state === 'running' && !force) {
      throw new UserError('VM_RUNNING', `Cannot delete "${vm.name}": it runs`, { hint: 'add --force' });
    }
    return this.#run(`vm.${verb}` as Operation['kind'], vm, () => {
      if (verb === 'delete') this.vms.delete(vm.id);
      else vm.state = verb === 'start' || verb === 'restart' ? 'running' : 'stopped';
      if (verb === 'delete') return {};
      return verb === 'stop' || verb === 'restart' ? { vm, ...this.stopped } : { vm };
    });
  }

  #run(kind: Operation['kind'], vm: Vm, end: () => OperationResult): Operation {
    const operation: Operation = {
      id: newOperationId(),
      kind,
      status: 'running',
      vm: { id: vm.id, name: vm.name },
      stage: STAGES[0] as string,
      startedAt: new Date().toISOString(),
    };
    this.#operations.set(operation.id, operation);
    void this.#progress(operation, vm, end);
    return { ...operation };
  }

  async #progress(operation: Operation, vm: Vm, end: () => OperationResult): Promise<void> {
    for (const stage of STAGES) {
      this.#update(operation, { stage });
      await delay(this.stageMs);
      if (!this.#cancelled.has(operation.id)) continue;
      if (operation.kind === 'vm.create') this.vms.delete(vm.id);
      this.#update(operation, { status: 'cancelled', finishedAt: new Date().toISOString() });
      return;
    }
    const finishedAt = new Date().toISOString();
    try {
      this.#update(operation, { result: end(), status: 'succeeded', finishedAt });
    } catch (error) {
      this.#update(operation, { status: 'failed', error: bodyOf(error as UserError).error, finishedAt });
    }
  }

  #update(operation: Operation, change: Partial<Operation>): void {
    Object.assign(operation, change);
    this.#changes.dispatchEvent(new Event(operation.id));
  }

  async #answerOperation(response: ServerResponse, id: string, action: string): Promise<void> {
    const operation = this.#operations.get(id) as Operation;
    if (action === 'cancel') {
      this.#cancelled.add(id);
      while (operation.status === 'running') await this.#changed(id);
      return send(response, operation);
    }
    response.setHeader('content-type', 'text/event-stream');
    for (;;) {
      response.write(`event: operation\ndata: ${JSON.stringify(operation)}\n\n`);
      if (operation.status !== 'running') break;
      await this.#changed(id);
    }
    response.end();
  }

  #changed(id: string): Promise<void> {
    return new Promise((resolve) => this.#changes.addEventListener(id, () => resolve(), { once: true }));
  }
}

function notFound(reference: string): UserError {
  return new UserError('VM_NOT_FOUND', `Cannot find "${reference}": no VM has this name or id`, {
    hint: 'banger vm list',
  });
}

function bodyOf({ code, message, hint, details }: UserError): { error: NonNullable<Operation['error']> } {
  return {
    error: {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
    },
  };
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
}
