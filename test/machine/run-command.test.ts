import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createMachineHome } from '../support/artifacts.ts';
import { CLI_PATH, type TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];

describe('vm run', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
  });
  after(() => home[Symbol.asyncDispose]());

  it('exits with the command’s status, prints only its output on stdout, and with --rm leaves nothing', async () => {
    const { status, text } = await home.cli([
      'vm',
      'run',
      '--rm',
      ...SMALL,
      '--',
      'sh',
      '-c',
      'uname -s; exit 42',
    ]);
    assert.deepEqual([status, text], [42, 'Linux']);
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
  });

  it('keeps the VM without --rm, and says so', async () => {
    const { stderr } = await home.succeed(['vm', 'run', '--name', 'kept', ...SMALL, '--', 'true']);
    assert.match(stderr, /kept/);
    assert.match(stderr, /banger vm delete/);
    await home.succeed(['vm', 'delete', '--force', 'kept']);
  });

  it('hands Ctrl-C to the command, and still removes the VM', async () => {
    const script = 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.1; done';
    const child = spawn(
      process.execPath,
      [CLI_PATH, 'vm', 'run', '--rm', ...SMALL, '--', 'sh', '-c', script],
      {
        env: home.env,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output === 'ready\n') child.kill('SIGINT');
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([output, code], ['ready\ncaught\n', 7]);
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
  });

  it('cancels the creation on Ctrl-C, and leaves nothing', async () => {
    const child = spawn(process.execPath, [CLI_PATH, 'vm', 'run', ...SMALL, '--', 'true'], {
      env: home.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('wait for agent')) child.kill('SIGINT');
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 130);
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
  });

  it('refuses what is ambiguous before anything is made', async () => {
    const { status } = await home.cli(['vm', 'run', '-d', '--rm']);
    assert.equal(status, 2);
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
  });

  it('gives bad input a code and a hint, and makes nothing', async () => {
    const cases: [string[], string, number][] = [
      [['--image', 'debian-bokworm'], 'IMAGE_NOT_FOUND', 3],
      [['--name', 'Not_A_Label'], 'INVALID_NAME', 2],
      [['--vcpu', '0'], 'INVALID_ARGUMENT', 2],
      [['--memory', '64M'], 'INVALID_ARGUMENT', 2],
      [['--memory', '100000G'], 'HOST_MEMORY_EXCEEDED', 3],
      [['--disk-size', '1M'], 'DISK_TOO_SMALL', 3],
      [['--disk-size', '8000T'], 'DISK_TOO_LARGE', 3],
    ];
    for (const [flags, code, expected] of cases) {
      const { status, stderr } = await home.cli(['vm', 'create', ...flags]);
      assert.match(stderr, new RegExp(`\\[${code}\\]`), stderr);
      assert.match(stderr, /hint: /, stderr);
      assert.equal(status, expected, `${flags.join(' ')}: ${stderr}`);
    }
    const unknown = await home.cli(['vm', 'run', '--memroy', '1G']);
    assert.equal(unknown.status, 2);
    assert.match(unknown.stderr, /--memory/);
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
    assert.equal((await home.succeed(['vm', 'list', '-q'])).text, '');
  });
});
