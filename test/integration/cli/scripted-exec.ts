import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { constants } from 'node:os';
import {
  decodeCredit,
  decodeResize,
  decodeSignal,
  encodeCredit,
  GuestStream,
  INITIAL_CREDIT_BYTES,
  MAX_DATA_BYTES,
} from '#contract/guest/flow-control.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { encodeFrame, FrameType, type Frame } from '#contract/guest/frames.ts';
import { execRequestSchema, type ExecRequest } from '#contract/owner/exec.ts';
import { EXEC_CHANNEL } from '#contract/owner/exec-protocol.ts';

/** One exec session, with a process of this host in place of one in a guest. Its tty is only told of, not made. */
export class ScriptedExec {
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder();
  readonly #credit = new Map<number, number>([
    [GuestStream.OUTPUT, INITIAL_CREDIT_BYTES],
    [GuestStream.ERRORS, INITIAL_CREDIT_BYTES],
  ]);
  readonly #onRequest: (request: ExecRequest) => void;
  #child: ChildProcess | undefined;
  #creditWaiters: (() => void)[] = [];

  constructor(socket: Duplex, onRequest: (request: ExecRequest) => void) {
    this.#socket = socket;
    this.#onRequest = onRequest;
    socket.on('data', (chunk: Uint8Array) => this.#decoder.push(chunk, (frame) => this.#receive(frame)));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#signal('SIGHUP');
      this.#creditWaiters.splice(0).forEach((wake) => wake());
    });
  }

  #receive({ type, payload, stream }: Frame): void {
    const child = this.#child;
    switch (type) {
      case FrameType.OPEN:
        this.#start(execRequestSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8'))));
        return;
      case FrameType.DATA:
        child?.stdin?.write(Buffer.from(payload), () =>
          this.#send(FrameType.CREDIT, encodeCredit(payload.length), 0),
        );
        return;
      case FrameType.EOF:
        child?.stdin?.end();
        return;
      case FrameType.CREDIT:
        this.#credit.set(stream, (this.#credit.get(stream) ?? 0) + decodeCredit(payload));
        this.#creditWaiters.splice(0).forEach((wake) => wake());
        return;
      case FrameType.RESIZE: {
        const { rows, columns } = decodeResize(payload);
        void this.#write(GuestStream.OUTPUT, Buffer.from(`resized ${rows}x${columns}\n`));
        return;
      }
      case FrameType.SIGNAL: {
        const number = decodeSignal(payload);
        const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
        this.#signal(name as NodeJS.Signals);
        return;
      }
      default:
    }
  }

  #start(request: ExecRequest): void {
    this.#onRequest(request);
    const [file = '', ...args] = request.argv;
    const child = spawn(file, args, {
      detached: true,
      stdio: 'pipe',
      env: { ...process.env, ...request.env },
    });
    this.#child = child;
    child.stdin.on('error', () => {});
    child.once('error', (error) => {
      const code =
        (error as NodeJS.ErrnoException).code === 'EACCES' ? 'COMMAND_NOT_EXECUTABLE' : 'COMMAND_NOT_FOUND';
      const body = { error: { code, message: `Cannot run "${file}": no such program` } };
      this.#send(FrameType.ERROR, Buffer.from(JSON.stringify(body)));
      this.#socket.end();
    });
    child.once('spawn', () => this.#send(FrameType.OPENED, Buffer.from(JSON.stringify({ pid: child.pid }))));
    void this.#finish(child);
  }

  async #finish(child: ChildProcess): Promise<void> {
    const ended = new Promise<{ exitCode: number } | { signal: number }>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(signal ? { signal: constants.signals[signal] } : { exitCode: code ?? 0 });
      });
    });
    const outputs = [
      this.#copy(child.stdout, GuestStream.OUTPUT),
      this.#copy(child.stderr, GuestStream.ERRORS),
    ];
    const result = await ended;
    await Promise.all(outputs);
    this.#send(FrameType.RESULT, Buffer.from(JSON.stringify(result)));
    this.#socket.end();
  }

  async #copy(source: Readable | null, stream: number): Promise<void> {
    for await (const chunk of (source ?? []) as AsyncIterable<Buffer>) await this.#write(stream, chunk);
    this.#send(FrameType.EOF, new Uint8Array(0), stream);
  }

  async #write(stream: number, chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && !this.#socket.destroyed) {
      const credit = this.#credit.get(stream) ?? 0;
      const part = rest.subarray(0, Math.min(credit, MAX_DATA_BYTES));
      if (part.length === 0) {
        await new Promise<void>((resolve) => this.#creditWaiters.push(resolve));
        continue;
      }
      this.#credit.set(stream, credit - part.length);
      rest = rest.subarray(part.length);
      this.#send(FrameType.DATA, part, stream);
    }
  }

  #send(type: FrameType, payload: Uint8Array, stream = 0): void {
    // A write after the end destroys the socket, and with it what the client has not read yet.
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    for (const part of encodeFrame({ type, channel: EXEC_CHANNEL, stream, payload }))
      this.#socket.write(part);
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null) return;
    try {
      process.kill(-pid, name);
    } catch {
      // it has ended meanwhile
    }
  }
}
