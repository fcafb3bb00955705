import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { findProcess, isAlive, signalProcess, waitForProcessExit, type ProcessIdentity } from '#host/proc.ts';
import { spawnDetached, type DetachedProcess } from '#host/spawn-detached.ts';

const KEEPER = join(import.meta.dirname, '../../../native/build/log-keeper');
const TIMEOUT_MS = 20_000;

class Place implements AsyncDisposable {
  readonly path: string;
  readonly #dispose: () => Promise<void>;

  private constructor(path: string, dispose: () => Promise<void>) {
    this.path = path;
    this.#dispose = dispose;
  }

  static async create(): Promise<Place> {
    const folder = await mkdtempDisposable(join(tmpdir(), 'bgr-keeper-'));
    return new Place(folder.path, () => folder.remove());
  }

  get console(): string {
    return join(this.path, 'console.log');
  }

  get log(): string {
    return join(this.path, 'program.log');
  }

  /** Node with a script; its files may have so many bytes. */
  run(script: string, maxBytes: number): Promise<DetachedProcess> {
    return this.start([process.execPath, '--input-type=module', '--eval', script], maxBytes);
  }

  /** What follows the files on the keeper's command line. */
  start(words: readonly string[], maxBytes = 1000): Promise<DetachedProcess> {
    const files = [join(this.path, 'pid'), this.console, String(maxBytes), this.log, String(maxBytes)];
    return spawnDetached(KEEPER, [...files, ...words], { logPath: join(this.path, 'early.log') });
  }

  /** Resolves when the program's words are there. */
  async says(expected: RegExp): Promise<void> {
    const read = async () => expected.test(await readFile(this.log, 'utf8').catch(() => '')) || undefined;
    await pollUntil(read, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  }

  /** The process that keeps the files of what was started last. */
  async keeper(): Promise<ProcessIdentity> {
    return pollUntil(
      async () => {
        const pid = Number(await readFile(join(this.path, 'pid'), 'utf8').catch(() => ''));
        return pid > 0 ? findProcess(pid) : undefined;
      },
      { signal: AbortSignal.timeout(TIMEOUT_MS) },
    );
  }

  /** Resolves when the program and its keeper have ended. */
  async ended(program: DetachedProcess, keeper: ProcessIdentity): Promise<void> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    await waitForProcessExit(program.identity, { signal });
    await waitForProcessExit(keeper, { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispose();
  }
}

/** Lines with a number each, to descriptor 3, as fast as they are taken. */
const flood = (lines: number) => `
  import { createWriteStream } from 'node:fs';
  const console = createWriteStream('', { fd: 3 });
  for (let line = 1; line <= ${lines}; line += 1)
    if (!console.write('line ' + line + '\\n')) await new Promise((resolve) => console.once('drain', resolve));
  console.end();`;

test('endless words fill two files and no more, the newest whole and in order', async () => {
  await using place = await Place.create();
  const program = await place.run(flood(200_000), 200_000);
  await place.ended(program, await place.keeper());
  const sizes = await Promise.all(['.1', ''].map(async (end) => (await stat(place.console + end)).size));
  assert.ok(
    sizes.every((size) => size > 0 && size <= 200_000),
    `${sizes.join(' and ')} bytes`,
  );
  const kept = (await readFile(`${place.console}.1`, 'utf8')) + (await readFile(place.console, 'utf8'));
  const numbers = kept
    .split('\n')
    .slice(1, -1)
    .map((line) => Number(line.slice('line '.length)));
  assert.equal(numbers.at(-1), 200_000);
  assert.ok(numbers.length > 10_000);
  assert.ok(numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1));
  assert.equal((await stat(place.console)).mode & 0o077, 0);
});

test('what the program prints is kept beside, up to its last words', async () => {
  await using place = await Place.create();
  const words = `process.stdout.write('out\\n', () => process.stderr.write('err\\n', () => process.kill(process.pid, 9)));`;
  const program = await place.run(words, 1000);
  await place.ended(program, await place.keeper());
  assert.equal(await readFile(place.log, 'utf8'), 'out\nerr\n');
  assert.equal(await readFile(place.console, 'utf8'), '');
});

test('files go on where they were, and a full one makes room', async () => {
  await using place = await Place.create();
  const write = (word: string) => `import { writeSync } from 'node:fs'; writeSync(3, '${word}'.repeat(60));`;
  for (const word of ['a', 'b', 'c', 'd']) {
    const program = await place.run(write(word), 120);
    await place.ended(program, await place.keeper());
  }
  assert.equal(await readFile(place.console, 'utf8'), 'c'.repeat(60) + 'd'.repeat(60));
  assert.equal(await readFile(`${place.console}.1`, 'utf8'), 'a'.repeat(60) + 'b'.repeat(60));
});

test('a keeper that is asked to end stays; one that is killed takes nothing with it', async () => {
  await using place = await Place.create();
  const words = `
    import { writeSync } from 'node:fs';
    process.on('SIGTERM', () => process.exit(7));
    setInterval(() => { try { writeSync(3, 'word '); writeSync(2, 'word '); } catch {} }, 10);`;
  const program = await place.run(words, 1000);
  const keeper = await place.keeper();
  await pollUntil(
    async () => ((await readFile(place.console, 'utf8').catch(() => '')) === '' ? undefined : true),
    {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    },
  );
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) await signalProcess(keeper, signal);
  assert.ok(await isAlive(keeper));
  await signalProcess(keeper, 'SIGKILL');
  await waitForProcessExit(keeper, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(await isAlive(program.identity));
  await signalProcess(program.identity, 'SIGTERM');
  assert.deepEqual(await program.exited, { code: 7, signal: null });
});

test('files that are removed while it runs are not missed', async () => {
  await using place = await Place.create();
  const program = await place.run(
    `${flood(100_000)} await new Promise(() => setTimeout(() => {}, 60_000));`,
    5000,
  );
  const keeper = await place.keeper();
  await pollUntil(async () => ((await readdir(place.path)).includes('console.log.1') ? true : undefined), {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await rm(place.console, { force: true });
  await signalProcess(program.identity, 'SIGKILL');
  await place.ended(program, keeper);
});

test('a program that is not there, one that may not be run', async () => {
  await using place = await Place.create();
  for (const [program, code, why] of [
    ['program-that-is-not-there', 127, 'No such file or directory'],
    ['/etc/passwd', 126, 'Permission denied'],
  ] as const) {
    for (const words of [[program], ['--small-pages', program]]) {
      const child = await place.start(words);
      assert.deepEqual(await child.exited, { code, signal: null });
      await place.says(new RegExp(`^log-keeper: ${program}: ${why}$`, 'm'));
      await rm(place.log);
    }
  }
});

test('a program has huge pages, or none where it is to have none', async () => {
  await using place = await Place.create();
  for (const [words, enabled] of [
    [[], 1],
    [['--small-pages'], 0],
  ] as const) {
    const child = await place.start([...words, 'grep', 'THP_enabled', '/proc/self/status']);
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    await place.says(new RegExp(`^THP_enabled:\\s${enabled}$`, 'm'));
    await rm(place.log);
  }
});
