import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import { EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { answerError } from './api-error.ts';
import { refuseOtherBuild } from './build-check.ts';
import { ExecRelay } from './exec-relay.ts';
import { endWithError } from './raw-response.ts';
import { withRunDefaults } from '../vm/run-defaults.ts';
import { relayedAttach, relayedExec } from './relayed-operation.ts';
import type { ActivityHandlers, VmHandlers } from './services.ts';

export interface ExecUpgradesOptions {
  vms: Pick<VmHandlers, 'agent' | 'get'>;
  activity: ActivityHandlers;
  closing: AbortSignal;
  log: Logger;
}

const EXEC_PATH = /^\/v1\/vms\/([^/?#]+)\/exec(?:[?#].*)?$/;
const ATTACH_PATH = /^\/v1\/vms\/([^/?#]+)\/commands\/([1-9]\d{0,8})\/attach(?:[?#].*)?$/;

/**
 * Requests that ask for another protocol. Node takes them off its HTTP server, so they never pass Fastify: until the 101 they
 * are answered here as it would.
 */
export class ExecUpgrades {
  readonly #options: ExecUpgradesOptions;
  readonly #sockets = new Set<Duplex>();
  #count = 0;

  constructor(options: ExecUpgradesOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { vms, activity, closing, log } = this.#options;
    this.#count += 1;
    const requestId = `exec-${this.#count}`;
    const gone = new AbortController();
    const onClose = () => gone.abort();
    this.#sockets.add(socket);
    // A connection that breaks also closes, and that is all that matters of it.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket)).once('close', onClose);
    try {
      closing.throwIfAborted();
      const { reference, command } = targetOf(request);
      const { id, run } = vms.get(reference);
      // A daemon that closes ends the sockets, and with them this wait.
      const agent = await vms.agent(id, { signal: gone.signal });
      gone.signal.throwIfAborted();
      const use = activity.use(id);
      socket.off('close', onClose).once('close', () => use[Symbol.dispose]());
      const operation =
        command === undefined
          ? relayedExec((wanted) => withRunDefaults(wanted, run))
          : relayedAttach(command);
      log.debug({ requestId, url: request.url }, 'exec session');
      // The guest is asked first: what came with the request is on its way before the client is answered.
      socket.cork();
      socket.write(switchingProtocols());
      new ExecRelay({ socket, agent, operation, log: log.child({ requestId }) }).begin(head);
      process.nextTick(() => socket.uncork());
    } catch (error) {
      const answer = answerError(error, requestId);
      log.debug({ requestId, url: request.url, status: answer.status }, 'request');
      if (answer.isBug && !gone.signal.aborted) log.error({ err: error, requestId }, 'unexpected error');
      endWithError(socket, answer);
    }
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** @throws UserError `DAEMON_VERSION_MISMATCH`, `ROUTE_NOT_FOUND`, `INVALID_ARGUMENT` */
function targetOf(request: IncomingMessage): { reference: string; command: number | undefined } {
  refuseOtherBuild(request.headers);
  const { method, url = '', headers } = request;
  const [, attachVm, command] = ATTACH_PATH.exec(url) ?? [];
  const reference = attachVm ?? EXEC_PATH.exec(url)?.[1];
  if (method !== 'GET' || reference === undefined) {
    throw new UserError('ROUTE_NOT_FOUND', `Cannot upgrade ${method} "${url}": the API has no such route`);
  }
  if (headers.upgrade?.toLowerCase() !== EXEC_UPGRADE) {
    throw new UserError(
      'INVALID_ARGUMENT',
      `Cannot upgrade to "${headers.upgrade}": the route speaks "${EXEC_UPGRADE}"`,
    );
  }
  try {
    const number = command === undefined ? undefined : Number(command);
    return { reference: decodeURIComponent(reference), command: number };
  } catch (error) {
    throw new UserError('INVALID_ARGUMENT', `Cannot read the path "${url}": it is not URL-encoded`, {
      cause: error,
    });
  }
}

function switchingProtocols(): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'connection: upgrade',
    `upgrade: ${EXEC_UPGRADE}`,
    `${BUILD_HEADER}: ${buildLabel()}`,
    '',
    '',
  ].join('\r\n');
}
