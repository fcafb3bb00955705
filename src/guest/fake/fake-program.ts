import type { ExecRequest, ExecResult } from '#contract/owner/exec.ts';

/** What a scripted command is given. */
export interface FakeProgramContext {
  request: ExecRequest;
  /** Reads what the host sends until it ends its input. */
  stdin: AsyncIterable<Uint8Array>;
  /** Resolve when the host has taken the bytes as far as its credit goes. */
  writeOut(bytes: Uint8Array | string): Promise<void>;
  writeError(bytes: Uint8Array | string): Promise<void>;
  /** Rejects when the command is killed. */
  sleep(ms: number): Promise<void>;
}

export type FakeProgram = (context: FakeProgramContext) => Promise<ExecResult>;

/** The commands that a fake guest has unless a test gives it others. */
export function standardPrograms(): Map<string, FakeProgram> {
  return new Map<string, FakeProgram>([
    ['true', async () => ({ exitCode: 0 })],
    ['false', async () => ({ exitCode: 1 })],
    ['echo', runEcho],
    ['cat', runCat],
    ['sleep', runSleep],
    ['pwd', async ({ request, writeOut }) => succeed(writeOut(`${request.cwd ?? '/root'}\n`))],
    ['env', runEnv],
    ['systemctl', async ({ writeOut }) => succeed(writeOut('running\n'))],
    ['uname', async ({ writeOut }) => succeed(writeOut('Linux\n'))],
    ['sh', runShell],
  ]);
}

async function succeed(work: Promise<void>): Promise<ExecResult> {
  await work;
  return { exitCode: 0 };
}

const runEcho: FakeProgram = ({ request, writeOut }) =>
  succeed(writeOut(`${request.argv.slice(1).join(' ')}\n`));

const runEnv: FakeProgram = ({ request, writeOut }) => {
  const lines = Object.entries(request.env ?? {}).map(([name, value]) => `${name}=${value}\n`);
  return succeed(writeOut(lines.join('')));
};

const runCat: FakeProgram = async ({ stdin, writeOut }) => {
  for await (const chunk of stdin) await writeOut(chunk);
  return { exitCode: 0 };
};

const runSleep: FakeProgram = ({ request, sleep }) => succeed(sleep(Number(request.argv[1]) * 1000));

/** As much of `sh -c` as tests need: `echo WORDS`, `echo WORDS >&2`, `kill -N $$`, `exit N`, `sleep N`, joined with `;`. */
const runShell: FakeProgram = async (context) => {
  for (const command of (context.request.argv[2] ?? '').split(';')) {
    const words = command.trim().split(/\s+/);
    const ended = await runShellCommand(words, context);
    if (ended) return ended;
  }
  return { exitCode: 0 };
};

async function runShellCommand(
  words: string[],
  context: FakeProgramContext,
): Promise<ExecResult | undefined> {
  const [name, ...rest] = words;
  switch (name) {
    case 'exit':
      return { exitCode: Number(rest[0]) };
    case 'kill':
      return { signal: Number(rest[0]?.slice(1)) };
    case 'sleep':
      await context.sleep(Number(rest[0]) * 1000);
      return undefined;
    case 'echo':
      if (rest.at(-1) === '>&2') await context.writeError(`${rest.slice(0, -1).join(' ')}\n`);
      else await context.writeOut(`${rest.join(' ')}\n`);
      return undefined;
    default:
      await context.writeError(`sh: ${name}: not found\n`);
      return { exitCode: 127 };
  }
}
