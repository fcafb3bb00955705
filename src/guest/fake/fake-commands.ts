import {
  decodeAttachOpen,
  decodeCommandOpen,
  decodeCommandStartOpen,
  encodeAttached,
  encodeCommandList,
  encodeStartedCommand,
} from '#contract/guest/command-messages.ts';
import { encodeExecResult } from '#contract/guest/exec-messages.ts';
import { GuestStream } from '#contract/guest/flow-control.ts';
import { FakeFailure } from './fake-channel.ts';
import type { FakeChannel } from './fake-channel.ts';
import { FakeCommand } from './fake-command.ts';
import type { FakeProgram } from './fake-program.ts';

const MAX_COMMANDS = 64;

/** The detached commands of a fake guest; they outlive sessions. */
export class FakeCommands {
  readonly #commands = new Map<number, FakeCommand>();
  #lastId = 0;

  start(channel: FakeChannel, open: Uint8Array, find: (name: string) => FakeProgram): void {
    const request = decodeCommandStartOpen(open);
    const program = find(request.argv[0] ?? '');
    this.#makeRoom();
    this.#lastId += 1;
    const command = new FakeCommand(this.#lastId, request);
    this.#commands.set(command.id, command);
    void command.run(program);
    channel.result(encodeStartedCommand(command));
  }

  list(channel: FakeChannel): void {
    channel.result(encodeCommandList([...this.#commands.values()].map((command) => command.describe())));
  }

  signal(channel: FakeChannel, open: Uint8Array): void {
    const { id, signal = 0 } = decodeCommandOpen(open);
    const command = this.#get(id);
    if (command.result) throw new FakeFailure('REFUSED', 'the command has ended');
    command.kill(signal);
    channel.result();
  }

  remove(channel: FakeChannel, open: Uint8Array): void {
    const { id } = decodeCommandOpen(open);
    if (!this.#get(id).result) throw new FakeFailure('BUSY', 'the command runs');
    this.#commands.delete(id);
    channel.result();
  }

  async attach(channel: FakeChannel, open: Uint8Array): Promise<void> {
    const { id, fromByte = 0, tailLines, stdin } = decodeAttachOpen(open);
    const command = this.#get(id);
    const tail = tailLines === undefined ? 0 : command.tail(tailLines);
    const start = Math.min(Math.max(fromByte, tail, command.keptFromByte), command.outputBytes);
    const { pid, takesInput, request } = command;
    channel.opened(encodeAttached({ pid, takesInput, tty: request.tty ?? false, fromByte: start }));
    command.viewers += 1;
    void takeInput(channel, command, stdin === true && takesInput);
    await giveOutput(channel, command, start);
    command.viewers -= 1;
  }

  #get(id: number): FakeCommand {
    const command = this.#commands.get(id);
    if (!command) throw new FakeFailure('NOT_FOUND', `no command ${id}`);
    return command;
  }

  #makeRoom(): void {
    if (this.#commands.size < MAX_COMMANDS) return;
    const ended = [...this.#commands.values()].find(({ result }) => result);
    if (!ended) throw new FakeFailure('TOO_MANY', 'too many commands');
    this.#commands.delete(ended.id);
  }
}

/** What a viewer without a hand on the input sends is taken and thrown away. */
async function takeInput(channel: FakeChannel, command: FakeCommand, isWanted: boolean): Promise<void> {
  for await (const piece of channel.input()) {
    if (isWanted) command.write(piece);
  }
  if (isWanted && !channel.closed.aborted) command.endInput();
}

async function giveOutput(channel: FakeChannel, command: FakeCommand, start: number): Promise<void> {
  let at = start;
  while (!channel.closed.aborted) {
    if (at < command.keptFromByte) {
      channel.lost(command.keptFromByte - at);
      at = command.keptFromByte;
    }
    const { changed } = command;
    const chunk = command.chunkAt(at);
    if (chunk) {
      await channel.write(chunk.stream, chunk.bytes);
      at += chunk.bytes.length;
    } else if (command.result) {
      channel.endOutput(GuestStream.OUTPUT);
      channel.endOutput(GuestStream.ERRORS);
      channel.result(encodeExecResult(command.result));
      return;
    } else {
      await Promise.race([changed, channel.whenClosed]);
    }
  }
}
