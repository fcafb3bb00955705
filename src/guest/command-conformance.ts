import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import type { DetachedCommand } from '#contract/owner/command.ts';
import { AgentClient } from './agent-client.ts';
import type { Attachment, AttachOptions } from './guest-commands.ts';

export interface CommandsUnderTest {
  /** A new stream to the agent; the one before is over by then. */
  open(): Promise<Duplex>;
}

const DEADLINE_MS = 10_000;
const TEST_TIMEOUT_MS = 30_000;
const SCROLLBACK_BYTES = 256 * 1024;
const KILL = 9;

/** What the detached commands of every agent do. */
export function describeDetachedCommands(
  name: string,
  start: () => Promise<CommandsUnderTest & AsyncDisposable>,
): void {
  describe(`${name} with detached commands`, () => {
    for (const [title, test] of Object.entries(COMMAND_TESTS)) {
      it(title, { timeout: TEST_TIMEOUT_MS }, async () => {
        await using agent = await start();
        const clients: AgentClient[] = [];
        const reconnect = async () => {
          await clients.at(-1)?.close();
          const signal = AbortSignal.timeout(DEADLINE_MS);
          clients.push(await AgentClient.connect(await agent.open(), { signal }));
          return clients[clients.length - 1] as AgentClient;
        };
        try {
          await test(await reconnect(), reconnect);
        } finally {
          await endAll(await reconnect());
        }
      });
    }
  });
}

type CommandTest = (client: AgentClient, reconnect: () => Promise<AgentClient>) => Promise<void>;

const COMMAND_TESTS: Record<string, CommandTest> = {
  async 'keeps output and status for whoever comes later'({ commands }) {
    const { id } = await commands.start({ argv: ['sh', '-c', 'echo one; echo two >&2; exit 3'] });
    const ended = await whenEnded(commands, id);
    assert.partialDeepStrictEqual(ended, { status: 'exited', exitCode: 3, outputBytes: 8, viewers: 0 });
    for (let viewer = 0; viewer < 2; viewer += 1) {
      assert.deepEqual(await see(commands, id), { out: 'one\n', errors: 'two\n', result: { exitCode: 3 } });
    }
  },

  async 'lists what runs and what ended'({ commands }) {
    const sleeping = await commands.start({ argv: ['sleep', '60'], stdin: true });
    const failed = await commands.start({ argv: ['sh', '-c', 'kill -9 $$'] });
    await whenEnded(commands, failed.id);
    const [first, second, ...none] = await commands.list();
    assert.deepEqual(none, []);
    const common = { tty: false, isArgvCut: false, keptFromByte: 0, outputBytes: 0, viewers: 0 };
    const running = { ...sleeping, argv: ['sleep', '60'], status: 'running', takesInput: true };
    assert.partialDeepStrictEqual(first, { ...common, ...running });
    assert.equal(first?.endedAt, undefined);
    assert.partialDeepStrictEqual(second, { ...common, ...failed, status: 'exited', signal: 9 });
    assert.ok(second?.endedAt !== undefined && second.endedAt >= second.startedAt);
  },

  async 'goes on without a session'(client, reconnect) {
    const { id } = await client.commands.start({ argv: ['cat'], stdin: true });
    const before = await client.commands.attach(id, { stdin: true });
    before.process.stdin.write('before\n');
    assert.equal(await firstOf(before), 'before\n');
    const { commands } = await reconnect();
    const after = await commands.attach(id, { stdin: true });
    after.process.stdin.end('after\n');
    assert.equal(await text(after.process.stdout), 'before\nafter\n');
    assert.deepEqual(await after.process.exited, { exitCode: 0 });
  },

  async 'shows the same to several viewers'({ commands }) {
    const { id } = await commands.start({ argv: ['cat'], stdin: true });
    const viewers = await Promise.all([1, 2, 3].map(() => commands.attach(id, { stdin: true })));
    const data = randomBytes(100_000);
    viewers[1]?.process.stdin.end(data);
    const seen = await Promise.all(viewers.map(({ process }) => buffer(process.stdout)));
    for (const bytes of seen) assert.deepEqual(bytes, data);
  },

  async 'begins where a viewer asks'({ commands }) {
    const { id } = await commands.start({ argv: ['sh', '-c', 'echo one; echo two; echo three'] });
    await whenEnded(commands, id);
    assert.equal((await see(commands, id, { tailLines: 2 })).out, 'two\nthree\n');
    assert.equal((await see(commands, id, { tailLines: 0 })).out, '');
    assert.equal((await see(commands, id, { fromByte: 2 })).out, 'e\ntwo\nthree\n');
    assert.equal((await commands.attach(id, { fromByte: 1000 })).fromByte, 14);
  },

  async 'tells a slow viewer what it lost, and lets it hold up nobody'({ commands }) {
    const { id } = await commands.start({ argv: ['cat'], stdin: true });
    let lost = 0;
    const slow = await commands.attach(id, { onLost: (bytes) => (lost += bytes) });
    const quick = await commands.attach(id, { stdin: true });
    const total = 8 * SCROLLBACK_BYTES;
    quick.process.stdin.end(randomBytes(total));
    quick.process.stdout.resume();
    assert.deepEqual(await quick.process.exited, { exitCode: 0 });
    const { length } = await buffer(slow.process.stdout);
    assert.ok(lost > 0 && length < total);
    assert.equal(length + lost, total);
    assert.deepEqual(await slow.process.exited, { exitCode: 0 });
  },

  async 'keeps a bounded part of the output'({ commands }) {
    const { id } = await commands.start({ argv: ['cat'], stdin: true });
    const { process } = await commands.attach(id, { stdin: true });
    process.stdout.resume();
    const data = randomBytes(2 * SCROLLBACK_BYTES);
    process.stdin.end(data);
    await process.exited;
    const late = await commands.attach(id);
    assert.equal(late.fromByte, SCROLLBACK_BYTES);
    assert.deepEqual(await buffer(late.process.stdout), data.subarray(SCROLLBACK_BYTES));
  },

  async 'leaves the command alone when a viewer leaves'({ commands }) {
    const { id } = await commands.start({ argv: ['cat'], stdin: true });
    (await commands.attach(id, { stdin: true })).process.close();
    const next = await commands.attach(id, { stdin: true });
    next.process.stdin.end('here\n');
    assert.equal(await text(next.process.stdout), 'here\n');
  },

  async 'signals, and removes what has ended'({ commands }) {
    const { id } = await commands.start({ argv: ['sleep', '60'] });
    const watching = await commands.attach(id);
    await rejectsWith('DETACHED_COMMAND_RUNNING', commands.remove(id));
    await commands.signal(id, 15);
    assert.deepEqual(await watching.process.exited, { signal: 15 });
    await rejectsWith('DETACHED_COMMAND_ENDED', commands.signal(id, 15));
    await commands.remove(id);
    assert.deepEqual(await commands.list(), []);
    for (const gone of [commands.attach(id), commands.signal(id, 15), commands.remove(id)]) {
      await rejectsWith('DETACHED_COMMAND_NOT_FOUND', gone);
    }
  },

  async 'refuses what cannot run, and one too many'({ commands }) {
    await rejectsWith('COMMAND_NOT_FOUND', commands.start({ argv: ['no-such-command'] }));
    await rejectsWith('COMMAND_NOT_EXECUTABLE', commands.start({ argv: ['/etc/passwd'] }));
    assert.deepEqual(await commands.list(), []);
    for (let count = 0; count < 64; count += 1) {
      await commands.start({ argv: ['sleep', '60'] });
    }
    await rejectsWith('DETACHED_COMMANDS_FULL', commands.start({ argv: ['true'] }));
    const [oldest] = await commands.list();
    await commands.signal(oldest?.id ?? 0, KILL);
    await whenEnded(commands, oldest?.id ?? 0);
    await commands.start({ argv: ['true'] });
    assert.notEqual((await commands.list())[0]?.id, oldest?.id);
  },
};

type Commands = AgentClient['commands'];

/** They would outlive the agent, which is killed. */
async function endAll(client: AgentClient): Promise<void> {
  const running = (await client.commands.list()).filter(({ status }) => status === 'running');
  await Promise.allSettled(running.map(({ id }) => client.commands.signal(id, KILL)));
  for (const { id } of running) await whenEnded(client.commands, id);
  await client.close();
}

function whenEnded(commands: Commands, id: number): Promise<DetachedCommand> {
  const find = async () => (await commands.list()).find((one) => one.id === id && one.status === 'exited');
  return pollUntil(find, { signal: AbortSignal.timeout(DEADLINE_MS) });
}

async function see(commands: Commands, id: number, options: AttachOptions = {}) {
  const { process } = await commands.attach(id, options);
  const [out, errors, result] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.exited,
  ]);
  return { out, errors, result };
}

async function firstOf({ process }: Attachment): Promise<string> {
  for await (const chunk of process.stdout) return String(chunk);
  return '';
}

async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => isUserError(error, code));
}
